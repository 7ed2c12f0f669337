"""Emulated RP2040 boards that run official MicroPython firmware, with PyPI's rp2040py; their time is counted in the chip's own cycles."""

import asyncio
import hashlib
import os
import threading
from pathlib import Path

from hil.target import ExecError, Missing, Target

CACHE = Path(os.environ.get("WASMFLEET_FIRMWARE", Path.home() / ".cache" / "wasmfleet" / "firmware"))
SRAM = 0x20000000
BOOT_S = 60  # wall time
SSID = "RP2040PY-GUEST"  # the one network of the emulated Wi-Fi: open
GATEWAY = "10.0.0.1"  # leads to this machine's loopback interface


def cached(name, sha256):
    """Path of the firmware image `name` in the cache, its digest checked; raises `Missing`."""
    path = CACHE / name
    if not path.exists():
        raise Missing(f"no firmware image {name} in {CACHE}: put it there by hand, or let `fleet flash` download it")
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise Missing(f"{path} is not the firmware that is expected: its SHA-256 differs")
    return path


class EmulatedRP2040(Target):
    """A Pico-like board without Wi-Fi: 264 KiB of RAM, 2 MiB of flash; the emulator runs in a thread of its own."""

    name = "emulated RP2040, MicroPython 1.28.0"
    model = "pico"
    firmware = "SEEED_XIAO_RP2040-20260406-v1.28.0.uf2"
    sha256 = "27b41295467267c923ff5014ed622962d693f415e8a1089dc87f5c6731c9e3ec"

    def __init__(self, mends=None):
        self.mends = mends  # functions of rp2040_mends; None: all of them
        self.line = None
        self._device = self._undo = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rp2040", daemon=True)
        self._thread.start()

    @classmethod
    def image(cls):
        """Path of the firmware image in the cache, its digest checked; raises `Missing`."""
        return cached(cls.firmware, cls.sha256)

    def _wait(self, coroutine, timeout_s):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout_s)

    async def _make(self):
        import dataclasses

        from rp2040py.boards import BOARDS
        from rp2040py.device.mp_device import MicroPythonDevice

        from hil.line import Line

        self._device = MicroPythonDevice(board=dataclasses.replace(BOARDS[self.model], image=str(self.image())))
        await self._device.astart(timeout=BOOT_S)
        self.line = Line(self._device, self._loop)

    def flash(self):
        from hil import rp2040_mends

        self.image()
        self._stop()
        self._undo = rp2040_mends.apply(rp2040_mends.ALL if self.mends is None else self.mends)
        self._wait(self._make(), BOOT_S + 10)

    def reset(self):
        self._wait(self._device.ahard_reset(timeout=BOOT_S), BOOT_S + 10)

    def cut_power(self):
        from rp2040py.device.base_device import ResetCause

        self._wait(self._device.ahard_reset(timeout=BOOT_S, cause=ResetCause.POWER_ON), BOOT_S + 10)

    def exec(self, code, timeout_s=120):
        out, err = self._wait(self._exec(code, timeout_s), timeout_s + 10)
        if err.strip():
            raise ExecError(err.decode(errors="replace").replace("\r\n", "\n"))
        return out.decode(errors="replace").replace("\r\n", "\n")

    async def _exec(self, code, timeout_s):
        try:
            return await self._device.aexec(code, timeout=timeout_s)
        finally:
            self.line.attach()

    def load(self, data):
        """By way of the emulator's memory: the raw REPL takes more than a second a KiB."""
        where = int(self.exec(f"import uctypes, gc\ngc.collect()\nb = bytearray({len(data)})\nprint(uctypes.addressof(b))")) - SRAM

        async def poke():
            self._device.mcu.sram[where : where + len(data)] = data

        self._wait(poke(), 10)

    def port(self):
        return self.line.path

    def console(self):
        return self.line.text()

    def type(self, text):
        self._loop.call_soon_threadsafe(self.line.send, text.encode())

    def pin(self, number):
        return int(self._device.mcu.gpio[number].value.name == "HIGH")

    def on_pin(self, number, callback):
        self._device.mcu.gpio[number].add_listener(lambda new, old: callback(int(new.name == "HIGH")))

    def drive_pin(self, number, value):
        self._loop.call_soon_threadsafe(self._device.mcu.gpio[number].set_input_value, bool(value))

    def drive_adc(self, number, u16):
        self._device.mcu.adc.channel_values[number - 26] = u16 >> 4

    def watch(self):
        from hil.watch import Watch

        return Watch(self._device.mcu, self.seconds)

    def seconds(self):
        return self._device.simulator.clock.nanos / 1e9

    def _stop(self):
        if self._undo:
            self._undo()
            self._undo = None
        if self._device is not None:
            self._device.stop()
            self._device = None
        if self.line is not None:
            line, self.line = self.line, None
            self._loop.call_soon_threadsafe(line.close)

    async def _end_tasks(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self):
        self._stop()
        self._wait(self._end_tasks(), 20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


class EmulatedPicoW(EmulatedRP2040):
    """A Pico W: the same chip with the emulated CYW43 Wi-Fi, whose one network leads to this machine's loopback interface."""

    name = "emulated Pico W, MicroPython 1.25.0"
    model = "pico_w"
    firmware = "RPI_PICO_W-20250415-v1.25.0.uf2"
    sha256 = "d03ed810bacefd6aa2463d4826597d7f8db94710865d8bf67b3de66087507b10"
    wifi = (SSID, None)
    gateway = GATEWAY
