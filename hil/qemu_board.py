"""An ESP32 or ESP32-C3 in a QEMU that has machines for them (github.com/lcgamboa/qemu): official firmware, Wi-Fi, flash in a file."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from hil import flash_file
from hil.emulated import cached
from hil.serial_board import SerialBoard
from hil.target import Missing
from hil.terminal import Terminal

FLASH_BYTES = 4 << 20
FILES_AT = 0x200000  # the partition "vfs" of MicroPython's 4 MiB layout: littlefs 2
SHIM = """import sys, machine
def shim(real, pins):
    class Pin:
        def __getattr__(self, name): return getattr(real.Pin, name)
        def __call__(self, number, *rest): return real.Pin(pins.get(number, number), *rest)
    class Machine:
        def __getattr__(self, name): return getattr(real, name)
    made = Machine()
    made.Pin = Pin()
    made.WDT = lambda id=0, timeout=5000: real.WDT(id, 10 * timeout)
    return made
sys.modules["machine"] = shim(machine, {pins!r})
"""
BOOT_S = 300
POLL_S = 0.02
SERIAL_ENDS = ".in", ".out"  # as QEMU's character device `pipe` names them: to the machine, from it


class QemuBoard(SerialBoard):
    """An ESP32; `path` names the program. Time is the machine's own, which QEMU runs at wall speed."""

    title = "ESP32 in QEMU, MicroPython 1.26.1"
    program = "qemu-system-xtensa"
    machine = "esp32-picsimlab"
    radio = "esp32_wifi"
    model = chip = "esp32"  # as `fleet flash` and as esptool name it
    image_at = 0x1000
    options = ()  # of QEMU, beside those for all
    pins = {}  # {pin that the tests' modules name: the one that stands for it}
    gpio_out = 0x3FF44004  # GPIO_OUT_REG (ESP32 technical reference manual, 4.12): levels of pins 0 to 31
    timed = False  # reading flash takes much longer than on the chip
    firmware = "ESP32_GENERIC-20250911-v1.26.1.bin"
    sha256 = "6b5272b6edd15fc4d1627ec559a27a5d5a7b86e5ea7f8013941eb10c877edd4e"
    wifi = ("PICSimLabWifi", None)  # the one network of the emulated Wi-Fi: open
    gateway = "192.168.4.2"  # leads to this machine's loopback interface

    def __init__(self, path):
        self.name = self.title
        self.path = path
        self._start = time.monotonic()
        self._folder = Path(tempfile.mkdtemp(prefix="wasmfleet-qemu-"))
        self._process = self._qmp = None
        self._listeners = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="qemu", daemon=True).start()
        self._terminal = self._writer = None
        self._typed, self._typing = b"", False

    # -- power

    def flash(self):
        self._check()
        self._off()
        merge = ["merge-bin", "-o", str(self._folder / "flash"), "--flash-size", "4MB", "--pad-to-size", "4MB", hex(self.image_at)]
        command = [sys.executable, "-m", "esptool", "--chip", self.chip, *merge, str(cached(self.firmware, self.sha256))]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or (self._folder / "flash").stat().st_size != FLASH_BYTES:
            raise RuntimeError(f"esptool could not merge the image: {done.stdout[-500:]}{done.stderr[-500:]}")
        self._on()

    def put_all(self, files):
        """Into the file system as it lies in the flash file: this machine writes to flash a hundred times slower than a chip does. It reads
        too slowly for the watchdog, too, so that gets ten times as long; and it has other pins: both by a boot.py of ours."""
        self._off()
        files = {**files, "/boot.py": SHIM.format(pins=self.pins).encode()}
        flash_file.write(self._folder / "flash", FILES_AT, files)
        self._on()
        return True

    def _check(self):
        if shutil.which(self.path) is None:
            raise Missing(f"there is no program {self.path}: build {self.program} from github.com/lcgamboa/qemu, branch picsimlab-esp32")
        shown = subprocess.run([self.path, "-machine", "help"], capture_output=True, text=True).stdout
        if self.machine not in shown:
            raise Missing(f"{self.path} has no machine {self.machine}: it must be built from github.com/lcgamboa/qemu, branch picsimlab-esp32")

    def _on(self):
        serial, qmp = self._folder / "serial", self._folder / "qmp"
        for end in SERIAL_ENDS:
            os.mkfifo(f"{serial}{end}")
        beside = str(Path(shutil.which(self.path)).resolve().parent)  # where the chip's ROM may lie, or in QEMU's own share folder
        # Counted instructions, 8 ns each: else the two cores wait for each other, on the wall's clock, at every access to flash.
        command = [self.path, "-L", beside, "-accel", "tcg,thread=single", "-icount", "shift=3,align=off,sleep=on"]
        command += [*self.options, "-machine", self.machine, "-display", "none", "-monitor", "none"]
        command += ["-nic", f"user,model={self.radio},net=192.168.4.0/24"]
        command += ["-drive", f"file={self._folder / 'flash'},if=mtd,format=raw", "-serial", f"pipe:{serial}"]
        command += ["-qmp", f"unix:{qmp},server=on,wait=off"]
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._run(self._join(serial))
        self._qmp = socket.socket(socket.AF_UNIX)
        self._until(lambda: self._qmp.connect_ex(str(qmp)) == 0, "QEMU did not start")
        self._answers = self._qmp.makefile("r")
        self._answers.readline()  # the greeting
        self._qmp.sendall(b'{"execute": "qmp_capabilities"}')
        self._answers.readline()
        self._until(self._booted, "MicroPython did not boot")
        threading.Thread(target=self._watch, args=(self._process,), name="qemu pins", daemon=True).start()

    def _booted(self):
        """Whether the console, since the last start, shows that MicroPython is there: its prompt, or the agent's first word."""
        text = self._terminal.text()[self._boot_at :]
        return ">>> " in text or "agent: " in text

    def _until(self, test, complaint):
        deadline = time.monotonic() + BOOT_S
        while not test():
            if time.monotonic() > deadline or self._process.poll() is not None:
                said = self.console() if self._terminal else (self._folder / "log").read_text(errors="replace")
                raise OSError(f"{complaint}: {said[-1000:]}")
            time.sleep(POLL_S)

    def _off(self):
        """Kill the machine, whatever it is doing."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None
        self._answers.close()
        self._qmp.close()
        self._run(self._leave())
        for name in (*(f"serial{end}" for end in SERIAL_ENDS), "qmp"):
            (self._folder / name).unlink(missing_ok=True)

    def reset(self):
        self._boot_at = len(self._terminal.text())
        self._monitor("system_reset")
        self._until(self._booted, "MicroPython did not boot again")

    def cut_power(self):
        self._off()
        self._on()

    def close(self):
        self._off()
        if self._terminal:
            self._loop.call_soon_threadsafe(self._terminal.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        shutil.rmtree(self._folder)

    # -- the serial line

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(BOOT_S)

    async def _join(self, path):
        """Connect the machine's serial line to the pseudo-terminal, which outlives it. By pipes, which hold 64 KiB: QEMU writes bytes one by
        one and drops what finds no room, and a socket has room for some 280 of them."""
        if self._terminal is None:
            self._terminal = Terminal(self._loop, self._type)
        self._boot_at = len(self._terminal.text())
        self._writer, self._reader = (os.open(f"{path}{end}", os.O_RDWR | os.O_NONBLOCK) for end in SERIAL_ENDS)
        self._loop.add_reader(self._reader, lambda: self._terminal.from_board(os.read(self._reader, 4096)))

    async def _leave(self):
        """The line is dead; what was typed and is not sent is lost."""
        self._loop.remove_reader(self._reader)
        self._typed = b""
        os.close(self._reader)
        os.close(self._writer)
        self._writer = None

    def _type(self, data):
        """Type bytes into the board, as far as the pipe takes them now. QEMU feeds them to the chip at the line's own pace, in the machine's time."""
        self._typed += data
        if not self._typing:
            self._typing = True
            self._pace()

    def _pace(self):
        if self._writer is not None:
            with contextlib.suppress(BlockingIOError):
                self._typed = self._typed[os.write(self._writer, self._typed) :]
        self._typing = bool(self._typed)
        if self._typing:
            self._loop.call_later(POLL_S, self._pace)

    def port(self):
        return self._terminal.path

    def console(self):
        return self._terminal.text()

    # -- pins, by QEMU's monitor (docs/interop/qmp-spec); it can look at registers but not drive a pin

    def _monitor(self, command):
        """What a command of the human monitor prints."""
        request = {"execute": "human-monitor-command", "arguments": {"command-line": command}}
        with self._lock:
            self._qmp.sendall(json.dumps(request).encode())
            while "return" not in (answer := json.loads(self._answers.readline())):
                if "error" in answer:
                    raise OSError(f"{self.name}: {command}: {answer['error']['desc']}")
        return answer["return"]

    def pin(self, number):
        return int(self._monitor(f"xp /1wx {self.gpio_out:#x}").split(":")[1], 16) >> self.pins.get(number, number) & 1

    def on_pin(self, number, callback):
        """As `Target.on_pin`, by looking 50 times a second: shorter pulses are missed."""
        self._listeners.append([number, self.pin(number), callback])

    def _watch(self, process):
        while self._process is process and process.poll() is None:
            time.sleep(POLL_S)
            for row in self._listeners:
                try:
                    level = self.pin(row[0])
                except (OSError, ValueError):
                    return  # the power is off
                if level != row[1]:
                    row[1] = level
                    row[2](level)


class QemuC3(QemuBoard):
    """An ESP32-C3: one RISC-V core. Its watchdogs are off: that of interrupts waits 0.3 s, and a busy machine lets the emulator wait longer."""

    title = "ESP32-C3 in QEMU, MicroPython 1.28.0"
    program = "qemu-system-riscv32"
    machine = "esp32c3-picsimlab"
    radio = "esp32c3_wifi"
    model, chip = "esp32_c3", "esp32c3"
    image_at = 0
    options = ("-global", "driver=timer.esp32c3.timg,property=wdt_disable,value=true")
    pins = {14: 3, 15: 5, 16: 6, 17: 7, 25: 8, 26: 0, 27: 1, 28: 2}  # it has 0 to 13, 20 and 21, and converts the levels of 0 to 4
    gpio_out = 0x60004004  # GPIO_OUT_REG (ESP32-C3 technical reference manual, 5.14)
    firmware = "ESP32_GENERIC_C3-20260406-v1.28.0.bin"
    sha256 = "c749c22b6fe00cb8211a3b227ed6c0ce9babb518fd8f5a661f7496eb878fa895"


def qemu_board(path):
    """The board that the program `path` emulates, known by the program's name."""
    return (QemuC3 if Path(path).name == QemuC3.program else QemuBoard)(path)
