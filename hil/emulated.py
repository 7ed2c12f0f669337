"""An emulated RP2040 that runs official MicroPython firmware, with PyPI's rp2040py; its time is counted in the chip's own cycles."""

import asyncio
import hashlib
import os
import threading
from pathlib import Path

from hil.target import ExecError, Missing, Target

CACHE = Path(os.environ.get("WASMFLEET_FIRMWARE", Path.home() / ".cache" / "wasmfleet" / "firmware"))
IMAGE = "SEEED_XIAO_RP2040-20260406-v1.28.0.uf2"
IMAGE_SHA256 = "27b41295467267c923ff5014ed622962d693f415e8a1089dc87f5c6731c9e3ec"
SRAM = 0x20000000
BOOT_S = 60  # wall time


def image():
    """Path of the firmware image in the cache, its digest checked; raises `Missing`."""
    path = CACHE / IMAGE
    if not path.exists():
        raise Missing(f"no firmware image {IMAGE} in {CACHE} (official MicroPython for SEEED_XIAO_RP2040): put it there by hand")
    if hashlib.sha256(path.read_bytes()).hexdigest() != IMAGE_SHA256:
        raise Missing(f"{path} is not the firmware that is expected: its SHA-256 differs")
    return path


class EmulatedRP2040(Target):
    """A Pico-like board without Wi-Fi: 264 KiB of RAM, 2 MiB of flash; the emulator runs in a thread of its own."""

    name = "emulated RP2040, MicroPython 1.28.0"

    def __init__(self, mended=True):
        self.mended = mended
        self._device = self._undo = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rp2040", daemon=True)
        self._thread.start()

    def _wait(self, coroutine, timeout_s):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout_s)

    async def _make(self):
        import dataclasses

        from rp2040py.boards import BOARDS
        from rp2040py.device.mp_device import MicroPythonDevice

        self._device = MicroPythonDevice(board=dataclasses.replace(BOARDS["pico"], image=str(image())))
        await self._device.astart(timeout=BOOT_S)

    def flash(self):
        from hil.rp2040_mends import hold_empty_answers

        image()
        self._stop()
        if self.mended:
            self._undo = hold_empty_answers()
        self._wait(self._make(), BOOT_S + 10)

    def reset(self):
        self._wait(self._device.ahard_reset(timeout=BOOT_S), BOOT_S + 10)

    def exec(self, code, timeout_s=120):
        out, err = self._wait(self._device.aexec(code, timeout=timeout_s), timeout_s + 10)
        if err.strip():
            raise ExecError(err.decode(errors="replace").replace("\r\n", "\n"))
        return out.decode(errors="replace").replace("\r\n", "\n")

    def _fill(self, data):
        """By way of the emulator's memory: the raw REPL takes more than a second a KiB."""
        for start in range(0, len(data), 8192):
            part = data[start : start + 8192]
            where = int(self.exec(f"import uctypes\nb = bytearray({len(part)})\nprint(uctypes.addressof(b))")) - SRAM

            async def poke(where=where, part=part):
                self._device.mcu.sram[where : where + len(part)] = part

            self._wait(poke(), 10)
            self.exec("n = f.write(b)\ndel b")

    def seconds(self):
        return self._device.simulator.clock.nanos / 1e9

    def _stop(self):
        if self._undo:
            self._undo()
            self._undo = None
        if self._device is not None:
            self._device.stop()
            self._device = None

    def close(self):
        self._stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
