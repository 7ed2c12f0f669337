"""``python -m bench.library [--save]``: what each function of the run-time library costs as Thumb code on the bare Cortex-M0+ core.

Bytes are the function's own and with those that it calls; cycles are the mean over everyday operands and the most over edge values, entry
and exit of machine code (a call of an empty function) not counted.
"""

import datetime
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "device"))

from mpwasm.native.compile import compile_module  # noqa: E402
from mpwasm.native.executor import NativeInstance  # noqa: E402
from mpwasm.wasm.load import load_module  # noqa: E402
from mpwasm.wasm.names import opcode_name  # noqa: E402
from mpwasm.wasm.slots import length  # noqa: E402
from tests.native import library_cases as cases  # noqa: E402
from tests.native.core import Core  # noqa: E402

CALL = 0x72
EDGES = 60
EVERYDAY = 12
FLOATS = {0x7D: (0x3E800000, 23), 0x7C: (0x3FD0000000000000, 52)}  # 0.25, and the bits behind the exponent


def callees(code):
    """Functions that `code` calls."""
    at, found = 0, set()
    while at < len(code):
        if code[at] == CALL:
            found.add(code[at + 1])
        at += length(code, at)
    return found


def closure(module, index):
    """The function and all that it calls."""
    found, due = set(), {index}
    while due:
        found |= due
        due = {callee for i in due for callee in callees(module.codes[i][0])} - found
    return found


def everyday(rng, valtype):
    """A number of middling size."""
    if valtype in FLOATS:
        low, digits = FLOATS[valtype]
        return low + rng.getrandbits(digits + 3)
    return rng.getrandbits(12) if valtype == 0x7F else rng.getrandbits(40)


class Machine:
    """The whole library on one core."""

    def __init__(self):
        with (ROOT / "device" / "mpwasm" / "native" / "c" / "library.wasm").open("rb", buffering=0) as file:
            self.module = load_module(file)
        blob = compile_module(self.module)
        self.core = Core(blob.code)
        self.instance = NativeInstance(self.module)
        self.instance.attach(blob, self.core)
        ends = [*blob.starts[1:], len(blob.code)]
        self.sizes = [end - start for start, end in zip(blob.starts, ends)]

    def cycles(self, opcode, operands):
        """Cycles of one call."""
        before = self.core.cycles
        self.instance.call("%x" % opcode, *operands)
        return self.core.cycles - before

    def row(self, opcode, empty):
        """(name, own bytes, bytes with callees, mean cycles, most cycles)."""
        index = self.module.exports["%x" % opcode][1]
        rng = random.Random(opcode)
        types = cases.signature(opcode)[:-1]
        usual = [self.cycles(opcode, [everyday(rng, t) for t in types]) - empty for _ in range(EVERYDAY)]
        edges = [self.cycles(opcode, given) - empty for given in cases.cases(opcode, EDGES) if cases.expected(opcode, given) is not None]
        together = sum(self.sizes[i] for i in closure(self.module, index))
        return opcode_name(opcode), self.sizes[index], together, sum(usual) // len(usual), max(usual + edges)


def empty_call():
    """Cycles of a call of an empty function."""
    raw = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1e\0\0\x0a\4\1\2\0\x0b"
    from io import BytesIO

    module = load_module(BytesIO(raw))
    blob = compile_module(module)
    core = Core(blob.code)
    instance = NativeInstance(module)
    instance.attach(blob, core)
    instance.call("e")
    return core.cycles


def main(argv):
    """Command line."""
    machine, empty = Machine(), empty_call()
    opcodes = sorted(int(name, 16) for name, (kind, _) in machine.module.exports.items() if kind == 0)
    rows = [machine.row(opcode, empty) for opcode in opcodes]
    lines = ["function,bytes,bytes_with_callees,cycles,most_cycles", *(",".join(map(str, row)) for row in rows)]
    print("\n".join(lines))
    print(f"library: {len(rows)} functions, {sum(machine.sizes)} B as Thumb in all; an empty call takes {empty} cycles", file=sys.stderr)
    if "--save" in argv:
        (ROOT / "bench" / "results" / f"library-{datetime.date.today().isoformat()}.csv").write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
