"""The run-time library: ready machine code, a file for each kind of CPU (`LIBRARY` of its templates), of which a module gets what it calls.

The files are made of `c/library.wasm` by the compiler itself (tests/native/ready.py), in words of 16 bits, low byte first: how many
functions there are; their numbers; four words for each: where the unit is that it lies in, where it begins there, how many relocations the unit has,
how many words of code; then the units, each its relocations, then its code. A relocation is the place of a call, and whom it calls: a
function by its number, or an exit by its reason. Callers come before those that they call, so one way through the file finds all.

A function's number is the opcode that it does; a routine's (see `Borrowed.call_routine`) is that and 256.
"""

from array import array

from mpwasm.compat import const

_ROW = const(4)
_REASONS = const(16)
_LIBRARY = const(1 << 16)  # numbers in calls: this and the function's


def lay(cpu, wanted, calls):
    """Lay down for `cpu` the functions whose numbers are in the set `wanted`, and those that they call: a generator of the number of each, and
    where its unit and itself begin. Their calls of each other join `calls`."""
    with open(__file__.rsplit("/", 1)[0] + "/" + cpu.LIBRARY + ".code", "rb") as stream:
        start = stream.tell()  # in the agent's archive that is not 0
        numbers = read(stream, read(stream, 1)[0])
        rows = read(stream, _ROW * len(numbers))
        at = unit = found = 0
        for i in range(len(numbers)):
            if numbers[i] in wanted:
                row = _ROW * i
                if rows[row] != at:
                    at = rows[row]
                    stream.seek(start + 2 * at)
                    unit = lay_unit(cpu, read(stream, 2 * rows[row + 2]), read(stream, rows[row + 3]), wanted, calls)
                yield numbers[i], unit, unit + rows[row + 1]
                found += 1
                if found == len(wanted):
                    break


def read(stream, count):
    """So many words."""
    words = array("H", bytes(2 * count))
    stream.readinto(words)
    return words


def lay_unit(cpu, relocations, code, wanted, calls):
    """Lay down a unit; whom it calls join `wanted`, its calls `calls`. Returns where it begins."""
    cpu.begin(b"")
    unit = cpu.here
    cpu.ready(code)
    for i in range(0, len(relocations), 2):
        at, number = unit + relocations[i], relocations[i + 1]
        if number < _REASONS:
            cpu.call_to(at, cpu.exits[number])
        else:
            calls.append((at, _LIBRARY + number))
            wanted.add(number)
    return unit
