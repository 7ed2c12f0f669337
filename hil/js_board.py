"""A plain RP2040 in npm's rp2040js: some four times as fast as rp2040py, for tests that compute for long; no Wi-Fi, and its pins are not seen."""

import contextlib
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from fleet.sim import node
from hil import flash_file
from hil.emulated import BOOT_S, EmulatedRP2040
from hil.target import ExecError, Missing, Target

HERE = Path(__file__).resolve().parent
XIP = 0x10000000  # where the chip sees its flash
FLASH_BYTES = 2 << 20
FILES_AT = FLASH_BYTES - 352 * flash_file.BLOCK_BYTES  # `rp2.Flash().ioctl(4, 0)` of this firmware: 352 blocks at the end
UF2_BLOCK, UF2_DATA = 512, 32
RAW = b"raw REPL; CTRL-B to exit\r\n>"  # MicroPython's documentation, "The MicroPython interactive interpreter mode"
END = b"\x04>"


class JsRP2040(Target):
    """The same chip and firmware as `EmulatedRP2040`; what is typed and printed goes through pipes."""

    name = "RP2040 in rp2040js, MicroPython 1.28.0"
    model = EmulatedRP2040.model

    def __init__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="wasmfleet-rp2040js-"))
        self._process = None
        self._before = 0.0  # seconds of the processes that have ended

    def flash(self):
        image, flash = EmulatedRP2040.image().read_bytes(), bytearray(b"\xff" * FLASH_BYTES)
        for at in range(0, len(image), UF2_BLOCK):
            address, size = struct.unpack_from("<II", image, at + 12)
            flash[address - XIP : address - XIP + size] = image[at + UF2_DATA : at + UF2_DATA + size]
        self._off()
        (self._folder / "flash").write_bytes(flash)
        self._on()

    def put_all(self, files):
        """Into the file system as it lies in the flash file."""
        self._off()
        flash_file.write(self._folder / "flash", FILES_AT, files)
        self._on()
        return True

    def reset(self):
        self._off()
        self._on()

    def _on(self):
        from rp2040py.device.bootrom import BOOTROM_B1

        library = node.node_modules() / "rp2040js" / "dist" / "esm" / "index.js"
        if not library.exists():
            raise Missing(f"{library} is not there: run `make setup`")
        (self._folder / "rom").write_bytes(struct.pack(f"<{len(BOOTROM_B1)}I", *BOOTROM_B1))
        command = [node.find(), HERE / "js_board.mjs", library, self._folder / "rom", self._folder / "flash"]
        with open(self._folder / "log", "wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0)
        self._until(b">>> ", BOOT_S)
        self._process.stdin.write(b"\x03\x01")
        self._until(RAW, BOOT_S)

    def _off(self):
        if self._process is not None:
            process, self._process = self._process, None
            process.stdin.close()
            while process.stdout.read(4096):
                pass  # it would wait for its last words to be read
            process.wait()
            self._before += self._clock()

    def _until(self, end, timeout_s):
        """What the board prints, up to and with `end`."""
        said, deadline = b"", time.monotonic() + timeout_s
        while not said.endswith(end):
            if not select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"{self.name}: not done in {timeout_s} s: {said[-200:]}")
            more = os.read(self._process.stdout.fileno(), 4096)
            if not more:
                raise OSError(f"{self.name} died: {(self._folder / 'log').read_text()[-1000:]}")
            said += more
        return said

    def exec(self, code, timeout_s=120):
        self._process.stdin.write(code.encode() + END[:1])
        said = self._until(END, timeout_s)
        out, _, error = said.removeprefix(b"OK").removesuffix(END).replace(b"\r\n", b"\n").partition(END[:1])
        if error.strip():
            raise ExecError(error.decode(errors="replace"))
        return out.decode(errors="replace")

    def _clock(self):
        with contextlib.suppress(ValueError, IndexError):  # before the first half second
            return float((self._folder / "log").read_text().split()[-1])
        return 0.0

    def seconds(self):
        """By the chip's cycles, half a second late at most."""
        return self._before + (self._clock() if self._process else 0.0)

    def close(self):
        self._off()
        shutil.rmtree(self._folder)
