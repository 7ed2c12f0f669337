"""First thing the VM runs: the board's flash becomes `/`, our modules come first, the port's extras go."""

import sys

import uos
import vfs

_flash, _rom = vfs.VfsPosix("/flash"), vfs.VfsPosix("/rom")
vfs.umount("/")
vfs.mount(_flash, "/")
vfs.mount(_rom, "/rom")
uos.chdir("/")
sys.path[:] = ["/rom", "", "/lib"]
for _name in ("time", "os", "os.path"):
    sys.modules.pop(_name, None)
import simgc  # noqa: E402 - found only now that the path leads to it

sys.modules["gc"] = simgc
del sys, uos, vfs, simgc, _flash, _rom, _name
