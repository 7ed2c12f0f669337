"""Compiles a loaded module to one position-independent blob of machine code."""

from mpwasm.compat import const
from mpwasm.native.function import OutOfReach
from mpwasm.native.lowering import Lowering
from mpwasm.native.runtime import Closed
from mpwasm.native.targets import ARMV6M, begin

_FAR = const(4096)
_FIXED = const(4096)  # bytes at the beginning of memory whose constant addresses are not looked at: they are committed before
_LIBRARY = const(1 << 16)  # numbers of library functions in calls: this and their index
_FLOAT = const(0xCA)
_ROUTINE = const(1 << 17)  # of routines of the CPU: this and the opcode


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


def compile_module(module, library=None, architecture=ARMV6M):
    """The `Blob` for `module` and one of `targets`' architectures; its entry is at offset 0.

    `library` has ``find(op, opcode)``, which gives the number of the function that does a slot op (and, of floats, an opcode), or -1,
    and a `module` with these functions, whose rows ``row(index)`` returns: what the op reads are their parameters, what it writes
    their result.
    """
    task = compiling(module, library, architecture)
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def compiling(module, library=None, architecture=ARMV6M):
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
    """Compile the library functions that are called, also by each other; a generator that returns where they begin by their numbers."""
    places = {}
    if lowering.library is None:
        return places
    lowering.module = lowering.library.module
    lowering.numbers = _LIBRARY
    i = 0
    while i < len(lowering.calls):
        number = lowering.calls[i][1]
        i += 1
        if number < _LIBRARY or number in places:
            continue
        if number >= _ROUTINE:
            starts.append(place_routine(lowering, places, number - _ROUTINE))
        else:
            places[number] = yield from one(lowering, lowering.library.row(number - _LIBRARY))
            starts.append(places[number])
    return places


def place_routine(lowering, places, opcode):
    """Lay down a routine of the CPU, and those with it; its calls of the library join the others. Returns where it begins."""
    found, calls = lowering.cpu.place_routine(opcode)
    for other in found:
        places[_ROUTINE + other] = found[other]
    for at, other in calls:
        lowering.calls.append((at, _LIBRARY + lowering.library.find(_FLOAT, other)))
    return min(found.values())


def one(lowering, body):
    """Compile one function, again with longer branches where they do not reach, or with the library open; a generator that returns its offset."""
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
        except Closed:
            lowering.library.open()
            yield
        cpu.rewind(start)
        lowering.left = lowering.left[:left]
        while len(lowering.calls) > calls:
            lowering.calls.pop()
