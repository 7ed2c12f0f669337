"""A board that is none: a raw REPL on a pseudo-terminal, whose Python is CPython with a board's modules and a folder as flash."""

import builtins
import contextlib
import gc
import io
import os
import pty
import select
import threading
import time
import traceback
import tty
import types

_BANNER = b"\r\nMicroPython v1.25.0 on 2025-04-15; Raspberry Pi Pico W with RP2040\r\n>>> "
_RAW = b"raw REPL; CTRL-B to exit\r\n>"


class Flash:
    """A folder that board code sees as /."""

    def __init__(self, folder):
        self.folder = folder
        self.registers = {}

    def real(self, path):
        """Where the board's `path` lies."""
        return os.path.join(self.folder, path.lstrip("/"))

    def modules(self):
        """What the board's code may import, by name."""
        files = {name: self._at_root(getattr(os, name)) for name in ("stat", "mkdir", "remove", "listdir")}
        system = types.SimpleNamespace(
            implementation=types.SimpleNamespace(name="micropython", version=(1, 25, 0, ""), _machine="Raspberry Pi Pico W with RP2040", _mpy=0x1306),
            platform="rp2",
        )
        wlan = types.SimpleNamespace(active=lambda on: None, scan=lambda: [(b"shed", b""), (b"", b""), (b"house", b"")])
        return {
            "os": types.SimpleNamespace(**files, rename=self._rename, statvfs=lambda path: (4096, 0, 0, 210)),
            "sys": system,
            "gc": types.SimpleNamespace(collect=gc.collect, mem_free=lambda: 200000),
            "machine": types.SimpleNamespace(mem32=self.registers, unique_id=lambda: bytes.fromhex("e6614104031f2b2c"), reset=lambda: None),
            "network": types.SimpleNamespace(STA_IF=0, WLAN=lambda interface: wlan),
        }

    def _at_root(self, call):
        return lambda path, *rest: call(self.real(path), *rest)

    def _rename(self, old, new):
        os.replace(self.real(old), self.real(new))

    def run(self, code):
        """Run the board's `code`; (printed, traceback), as text."""
        modules, out = self.modules(), io.StringIO()

        def load(name, *rest):
            return modules.get(name) or __import__(name, *rest)

        names = {**vars(builtins), "__import__": load, "open": lambda path, mode="r": open(self.real(path), mode)}
        names["print"] = lambda *words, **options: print(*words, **{**options, "file": out})
        try:
            exec(code, {"__builtins__": names})
        except Exception:
            return out.getvalue(), traceback.format_exc()
        return out.getvalue(), ""


class Board:
    """Serves one pseudo-terminal, `port`; `ran` are the pieces of code it was given. `deaf`: it never enters the raw REPL."""

    def __init__(self, folder, deaf=False):
        self.flash = Flash(folder)
        self.deaf = deaf
        self.ran = []
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        raw, code = False, b""
        while not self._ended.is_set():
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            for byte in os.read(self._master, 4096):
                raw, code = self._byte(raw, code, bytes([byte]))

    def _byte(self, raw, code, byte):
        """One byte typed: (whether the raw REPL is on, code so far)."""
        if byte == b"\x03" or self.deaf:
            return raw, b""
        if byte == b"\x01" and not code.startswith(b"\x05"):
            self._say(_RAW)
            return True, b""
        if byte == b"\x02":
            self._say(_BANNER)
            return False, b""
        if raw and byte == b"\x04":
            self._execute(code)
            return True, b""
        if raw and code + byte == b"\x05A\x01":
            self._say(b"R\x00")  # no raw paste here: send it plainly
            return True, b""
        return raw, code + byte

    def _execute(self, code):
        if not code:
            self._say(b"OK\r\nMPY: soft reboot\r\n" + _RAW)
            return
        self.ran.append(code.decode())
        out, error = self.flash.run(code.decode())
        self._say(b"OK" + out.encode() + b"\x04" + error.encode() + b"\x04>")

    def _say(self, data):
        with contextlib.suppress(OSError):
            os.write(self._master, data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(5)
        time.sleep(0.01)
        os.close(self._master)
        os.close(self._slave)
