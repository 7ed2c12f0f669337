"""Makes device/mpwasm/native/library.slots of c/library.wasm: ``python -m tests.native.lowered``. The form is told in library.py."""

from array import array
from pathlib import Path

from mpwasm.wasm.load import load_module
from mpwasm.wasm.module import words

NATIVE = Path(__file__).resolve().parents[2] / "device" / "mpwasm" / "native"
WASM, TARGET = NATIVE / "c" / "library.wasm", NATIVE / "library.slots"


def load():
    """The library as a module."""
    with WASM.open("rb", buffering=0) as file:
        return load_module(file)


def lowered():
    """The bytes of the file."""
    module = load()
    opcodes = {index: int(name, 16) for name, (kind, index) in module.exports.items() if kind == 0}
    rows, codes = array("H", [len(module.codes)]), array("H")
    for i, (code, params, others, frame) in enumerate(module.codes):
        results = words(module.types[module.funcs[i]][1])
        assert max(params, others, frame) < 256 and results < 3
        rows.extend((opcodes.get(i, 0), len(codes), len(code), params << 8 | others, frame << 8 | results))
        codes.extend(code)
    return (rows + codes).tobytes()


if __name__ == "__main__":
    TARGET.write_bytes(lowered())
