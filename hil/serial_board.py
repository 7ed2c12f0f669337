"""A real board on a serial port, reached by mpremote; it must run MicroPython already (`fleet flash` puts it there)."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hil.target import ExecError, Missing, Target

_SETTLE_S = 3  # a board that was reset needs this long until its USB port is back


class SerialBoard(Target):
    """`port` as mpremote names it. Wi-Fi and this machine's address come from $WASMFLEET_HIL_WIFI, _PASSWORD and _HOST."""

    def __init__(self, port, model=None):
        self.name = f"board on {port}"
        self.model = model
        self._port = port
        self._start = time.monotonic()
        ssid = os.environ.get("WASMFLEET_HIL_WIFI")
        self.wifi = (ssid, os.environ.get("WASMFLEET_HIL_PASSWORD")) if ssid else None
        self.gateway = os.environ.get("WASMFLEET_HIL_HOST")

    def _mpremote(self, arguments, timeout_s):
        command = [sys.executable, "-m", "mpremote", "connect", self.port(), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)
        if "Traceback (most recent call last)" in done.stdout + done.stderr:
            raise ExecError(done.stdout + done.stderr)
        if done.returncode:
            raise OSError(f"{self.name}: {(done.stdout + done.stderr).strip()}")
        return done.stdout.replace("\r\n", "\n")

    def flash(self):
        """Only looks whether MicroPython answers: what is on a real board is its owner's."""
        try:
            self._mpremote(["exec", "print(1)"], 60)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(f"no MicroPython answers on {self._port}: {error}") from error

    def reset(self):
        self._mpremote(["reset"], 60)
        time.sleep(_SETTLE_S)

    def soft_reset(self):
        self._mpremote(["soft-reset"], 60)

    def exec(self, code, timeout_s=120):
        return self._mpremote(["resume", "exec", code], timeout_s)

    def load(self, data):
        """By way of a folder that mpremote lets the board read."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "data").write_bytes(data)
            self._mpremote(["resume", "mount", folder, "exec", "with open('/remote/data', 'rb') as f: b = f.read()"], 600)

    def port(self):
        return self._port

    def seconds(self):
        return time.monotonic() - self._start

    def close(self):
        """Nothing is held open."""
