"""WAT to wasm, by wasmtime from PyPI: wat2wasm.py IN OUT."""

import sys
from pathlib import Path

import wasmtime

Path(sys.argv[2]).write_bytes(wasmtime.wat2wasm(Path(sys.argv[1]).read_text()))
