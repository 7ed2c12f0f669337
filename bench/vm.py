"""Runs a Python file inside the real MicroPython VM (WebAssembly port, under Node), with the engine and data on its flash."""

import subprocess
import tempfile
from pathlib import Path

from fleet.sim import image, node

HERE = Path(__file__).resolve().parent


def run(sources, data, heap_bytes=64 << 20, timeout_s=600):
    """Import the last of `sources` (Python files) in a fresh VM; returns the text it printed.

    `data` is {name: bytes}, found there at /name. Raises `RuntimeError` with what was printed where it fails.
    """
    with tempfile.TemporaryDirectory(prefix="mp-bench-") as folder:
        flash = Path(folder)
        image.build(flash, [(Path(path), f"lib/{Path(path).name}") for path in sources], linked=False)
        (flash / "main.py").unlink(missing_ok=True)
        for name, content in data.items():
            (flash / name).write_bytes(content)
        command = [node.find(), "--stack-size=4000", str(HERE / "vm.mjs"), str(node.node_modules()), folder, str(heap_bytes), Path(sources[-1]).stem]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr)[-2000:])
    return done.stdout
