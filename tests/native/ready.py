"""Makes the run-time library as machine code, device/mpwasm/native/*.code, of c/library.wasm and of the routines: ``python -m tests.native.ready``.

The form is told in library.py.
"""

from array import array
from pathlib import Path

from mpwasm.native.compile import one
from mpwasm.native.lowering import Lowering
from mpwasm.native.targets import ARMV6M, RV32IMC, THUMB2, XTENSA_FPU, XTENSAWIN, begin
from mpwasm.wasm.load import load_module
from tests.native import thumb_float, xtensa_divide, xtensa_root

NATIVE = Path(__file__).resolve().parents[2] / "device" / "mpwasm" / "native"
WASM = NATIVE / "c" / "library.wasm"
ARCHITECTURES = ARMV6M, THUMB2, RV32IMC, XTENSAWIN
LIBRARY = 1 << 16  # numbers in calls, see compile.py
ROUTINE = 0x100  # numbers of routines: this and the opcode
INNER = 0x200  # of functions that do no opcode: this and their index


class Unit:
    """Code that goes to a module as one piece: `entries` {number: offset}, `calls` [(offset, number of a function or an exit)]."""

    def __init__(self, entries, calls, code):
        self.entries = entries
        self.calls = sorted(calls)
        self.code = bytes(code) + bytes(len(code) % 2)


def load():
    """The library as a module."""
    with WASM.open("rb", buffering=0) as file:
        return load_module(file)


def finish(task):
    """What a generator returns."""
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


class Exits:
    """Notes the exits that `cpu` makes, but those of an attempt that was given up."""

    def __init__(self, cpu):
        self.found, self.cpu = {}, cpu
        self.exit, self.rewind = cpu.exit, cpu.rewind
        cpu.exit, cpu.rewind = self.note, self.forget

    def note(self, reason, told):
        """One exit, which has nothing to tell."""
        assert not told
        self.found[self.cpu.here] = reason
        self.exit(reason, told)

    def forget(self, start):
        """Begin the function anew."""
        self.found.clear()
        self.rewind(start)


def function(module, index, numbers, architecture):
    """The `Unit` of a function of the library."""
    cpu = begin(architecture, True)  # as in a module whose window has a base: the register that holds it is not for pins
    exits = Exits(cpu)
    lowering = Lowering(cpu, module, False)
    lowering.numbers = LIBRARY
    cpu.begin(b"")
    unit = cpu.here
    place = finish(one(lowering, module.codes[index])) - cpu.ENTRY
    assert not lowering.left
    calls = [(at - unit, numbers[number - LIBRARY]) for at, number in lowering.calls]
    calls += [(at - unit, reason) for at, reason in exits.found.items()]
    return Unit({numbers[index]: place - unit}, calls, cpu.code()[unit:])


def routines(architecture):
    """The `Unit`s of the routines made by hand."""
    if architecture == XTENSAWIN:
        for opcode, make in ((0x91, xtensa_root.root), (0x95, xtensa_divide.divide)):
            cpu = begin(XTENSA_FPU)
            cpu.begin(b"")
            unit = cpu.here
            yield Unit({ROUTINE + opcode: make(cpu) - unit}, (), cpu.code()[unit:])
    elif architecture != RV32IMC:
        for i, code in enumerate(thumb_float.CHUNKS):
            entries = {ROUTINE + opcode: begins for opcode, (chunk, begins) in thumb_float.ROUTINES.items() if chunk == i}
            yield Unit(entries, [thumb_float.CALLS[i]] if i in thumb_float.CALLS else (), code)


def units(architecture):
    """All `Unit`s, callers before those that they call."""
    module = load()
    numbers = {index: int(name, 16) for name, (kind, index) in module.exports.items() if kind == 0}
    for index in range(len(module.codes)):
        numbers.setdefault(index, INNER + index)
    made, waiting = [], [*routines(architecture), *(function(module, index, numbers, architecture) for index in sorted(numbers, key=numbers.get))]
    while waiting:
        called = {number for unit in waiting for _, number in unit.calls}
        free = [unit for unit in waiting if not called & set(unit.entries)]
        assert free, "they call each other in a ring"
        made += free
        waiting = [unit for unit in waiting if unit not in free]
    return made


def ready(architecture):
    """The bytes of the file."""
    made = units(architecture)
    numbers, rows, code = array("H"), array("H"), array("H")
    first = 1 + 5 * sum(len(unit.entries) for unit in made)
    for unit in made:
        for number, begins in unit.entries.items():
            numbers.append(number)
            rows.extend((first + len(code), begins, len(unit.calls), len(unit.code) // 2))
        for call in unit.calls:
            code.extend(call)
        code.frombytes(unit.code)
    return (array("H", [len(numbers)]) + numbers + rows + code).tobytes()


def path(architecture):
    """Where the file lies."""
    return NATIVE / f"{begin(architecture).LIBRARY}.code"


if __name__ == "__main__":
    for each in ARCHITECTURES:
        path(each).write_bytes(ready(each))
