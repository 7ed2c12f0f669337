"""Compiles a loaded module to one position-independent blob of machine code."""

from mpwasm.compat import const
from mpwasm.native.function import OutOfReach
from mpwasm.native.library import lay
from mpwasm.native.lowering import Lowering
from mpwasm.native.targets import ARMV6M, begin

_FAR = const(4096)
_FIXED = const(4096)  # bytes at the beginning of memory whose constant addresses are not looked at: they are committed before
_LIBRARY = const(1 << 16)  # numbers in calls: of library functions, this and what the library calls them


class Blob:
    """Machine code: `code`, where its functions begin (`starts`, as the CPU wants them: byte offsets, for Thumb plus 1; behind the module's
    those of the library that it needs), the slot ops that it leaves to Python (`left`, units), whether some of them need `rare`, and how many bytes
    from address 0 on must be committed before it runs (`fixed`). With it the slot code itself is not needed any more.
    """

    def __init__(self, code, starts, left, rare, fixed):
        self.code = code
        self.starts = starts
        self.left = left
        self.rare = rare
        self.fixed = fixed


def compile_module(module, library=False, architecture=ARMV6M):
    """The `Blob` for `module` and one of `targets`' architectures; its entry is at offset 0.

    With `library`, functions of the run-time library do what the CPU has no instruction for; else that is left to Python. OSError where its file
    is not there.
    """
    task = compiling(module, library, architecture)
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def compiling(module, library=False, architecture=ARMV6M):
    """`compile_module` as a generator, so that a board can do other things meanwhile: yields every few ops how many units of slot code are
    done, or None."""
    low = lowest(module)
    cpu = begin(architecture, low >= _FAR)
    lowering = Lowering(cpu, module, library)
    lowering.rooted = 0 <= low < _FAR
    if module.memory and low < _FAR:
        lowering.known = min(module.memory[0] * module.memory[2], _FIXED)
    starts = []
    for i in range(len(module.codes)):
        start = yield from one(lowering, module.codes[i])
        starts.append(start)
    places = yield from needed(lowering, starts)
    for at, number in lowering.calls:
        cpu.call_to(at, places[number] if number >= _LIBRARY else starts[number - module.imported])
    return Blob(cpu.code(), starts, lowering.left, lowering.rare, lowering.fixed)


def lowest(module):
    """Where the module's memory window will probably begin: where its lowest data lie, else its first global points (a stack); -1: nothing tells."""
    low = [offset[1] & 0xFFFFFFFF for mode, offset, data in module.datas if mode == 0 and offset[0] == 0x41 and len(offset) == 2]
    if not low:
        low = [first[1] & 0xFFFFFFFF for valtype, _, first in module.globals if valtype == 0x7F and first and first[0] == 0x41]
    return min(low) if low else -1


def needed(lowering, starts):
    """Lay down the library functions that are called, also by each other; a generator that returns where they begin by their numbers."""
    places = {}
    wanted = {number - _LIBRARY for _, number in lowering.calls if number >= _LIBRARY}
    if wanted:
        for number, unit, place in lay(lowering.cpu, wanted, lowering.calls):
            places[_LIBRARY + number] = place
            if unit > starts[-1]:
                starts.append(unit)
            yield
    return places


def one(lowering, body):
    """Compile one function, again with longer branches where they do not reach; a generator that returns its offset."""
    yield from lowering.study(body)
    cpu = lowering.cpu
    cpu.begin(body[0])
    start = cpu.here
    while True:
        calls = len(lowering.calls)
        left = len(lowering.left)
        try:
            yield from lowering.compile()
            return start + cpu.ENTRY
        except OutOfReach:
            pass
        cpu.rewind(start)
        lowering.left = lowering.left[:left]
        while len(lowering.calls) > calls:
            lowering.calls.pop()
