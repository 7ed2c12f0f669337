"""MicroPython's WebAssembly port under Node as a target: a simulated board whose flash is a folder. No firmware, no serial line, no pins."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hil.install import ROOT
from hil.target import ExecError, Target

_MAIN = """import sys
try:
    with open("/code.py") as f: code = f.read()
    exec(code, {{"__name__": "__main__"}})
except BaseException as error:
    sys.print_exception(error)
    print("{0}")
"""
_RAISED = "-- hil: raised"


class VmBoard(Target):
    """Each `exec` is a life of its own: what it leaves in memory is gone afterwards, what it leaves in the files stays."""

    name = "Node VM, MicroPython 1.27.0"

    def __init__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="wasmfleet-vm-"))

    def flash(self):
        shutil.rmtree(self._folder)
        self._folder.mkdir()

    def put_all(self, files):
        for path, data in files.items():
            place = self._folder / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return True

    def put(self, path, data):
        self.put_all({path: bytes(data)})

    def reset(self):
        """Nothing is left to be reset."""

    def exec(self, code, timeout_s=120):
        self.put_all({"/code.py": code.encode(), "/main.py": _MAIN.format(_RAISED).encode()})
        command = [sys.executable, "-m", "fleet.sim", str(self._folder)]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{self.name}: not done in {timeout_s} s") from error
        if done.returncode:
            raise OSError(f"{self.name} died: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        said, raised, _ = done.stdout.partition(_RAISED)
        if raised:
            raise ExecError(said)
        return said

    def seconds(self):
        return time.monotonic()

    def close(self):
        shutil.rmtree(self._folder)
