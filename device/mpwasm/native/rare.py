"""The ops that machine code leaves to Python, as functions of a `NativeInstance`; loaded for modules that use some."""

from mpwasm.compat import const
from mpwasm.errors import Trap
from mpwasm.wasm.numeric import binary64, divide, unary32, unary64, wrap32, wrap64
from mpwasm.wasm.opcodes import NUMERIC, SATURATING, SIGNATURES

_GLOBALS = const(32)  # of the record
_OUT_OF_BOUNDS = const(101)
_M = const(0xFFFFFFFF)


def execute(inst, code, at, frame):
    """The op whose units begin at `at` of `code`, in the frame that begins at word `frame`. Raises `Trap`."""
    op = code[at]
    frames = inst.port.frames
    if op < 0x40:
        y = code[at + 2]
        y = wrap32(frames[frame + y]) if op < 0x20 else y - 65536 if y > 32767 else y
        frames[frame + code[at + 3]] = divide(op & 0x1F, wrap32(frames[frame + code[at + 1]]), y, 32) & _M
    elif 0x6D <= op <= 0x6F:
        frames[frame + code[at + 2]] = unary32(op, wrap32(frames[frame + code[at + 1]])) & _M
    elif op == 0x76:
        value = frames[frame + code[at + 1]] + (code[at + 2] | code[at + 3] << 16)
        if value > _M:
            raise Trap(_OUT_OF_BOUNDS)
        frames[frame + code[at + 4]] = value
    elif op == 0x77:
        frames[frame + code[at + 1]] = inst.memory.pages
    elif op == 0x78:
        frames[frame + code[at + 2]] = inst.memory.grow(frames[frame + code[at + 1]]) & _M
    else:
        wide(inst, op, code, at, frame)


def load64(frames, at):
    """A pair of frame words as a signed int."""
    return wrap64(frames[at] | frames[at + 1] << 32)


def store64(inst, at, value):
    """A pair of frame words."""
    inst.put(inst.port.frames, at, 0x7E, value)


def wide(inst, op, code, at, frame):
    """An op on 64-bit values."""
    frames = inst.port.frames
    if 0x80 <= op < 0xC0:
        y = code[at + 2]
        y = load64(frames, frame + y) if not op & 0x20 else y - 65536 if y > 32767 else y
        value = binary64(op & 0x1F, load64(frames, frame + code[at + 1]), y)
        if op & 0x10:
            frames[frame + code[at + 3]] = value
        else:
            store64(inst, frame + code[at + 3], value)
    elif op < 0xC9 and op >= 0xC0:
        x = frame + code[at + 1]
        value = unary64(op, wrap32(frames[x]) if op in (0xC1, 0xC2) else load64(frames, x))
        if op == 0xC0:
            frames[frame + code[at + 2]] = value & _M
        else:
            store64(inst, frame + code[at + 2], value)
    else:
        moved(inst, op, code, at, frame)


def moved(inst, op, code, at, frame):
    """Copies, loads and stores of 64-bit values."""
    frames = inst.port.frames
    if op == 0x61:
        store64(inst, frame + code[at + 2], load64(frames, frame + code[at + 1]))
    elif op == 0x64:
        value = code[at + 1] | code[at + 2] << 16 | code[at + 3] << 32 | code[at + 4] << 48
        store64(inst, frame + code[at + 5], value)
    elif op == 0x67:
        store64(inst, frame + code[at + 2], load64(inst.port.record, _GLOBALS + 2 * code[at + 1]))
    elif op == 0x68:
        value = inst.globals[code[at + 2]][0] = load64(frames, frame + code[at + 1])
        inst.put(inst.port.record, _GLOBALS + 2 * code[at + 2], 0x7E, value)
    elif op == 0x6A:
        chosen = code[at + 1] if frames[frame + code[at + 3]] else code[at + 2]
        store64(inst, frame + code[at + 4], load64(frames, frame + chosen))
    elif op == 0x55:
        index = inst.memory.at(frames[frame + code[at + 1]] + code[at + 2], 8)
        store64(inst, frame + code[at + 3], int.from_bytes(inst.memory.data[index : index + 8], "little"))
    elif op == 0x5B:
        index = inst.memory.at(frames[frame + code[at + 1]] + code[at + 3], 8)
        value = load64(frames, frame + code[at + 2]) & (1 << 64) - 1
        inst.memory.data[index : index + 8] = value.to_bytes(8, "little")
    else:
        rare(inst, op, code, at, frame)


def rare(inst, op, code, at, frame):
    """Floats, bulk memory, tables, references: by the plain executor's own functions, on values taken from the frame."""
    frames = inst.port.frames
    first = at + (4 if op == 0xCB else 3 if op == 0xCC else 2)
    types = types_of(inst, op, code, at)
    units = [code[i] for i in range(at, first)] + list(range(len(types)))
    stores = op in (0xCB, 0xCC, 0xD0)
    reads = len(types) if stores else len(types) - 1
    values = [inst.get(frames, frame + code[first + i], types[i], True) for i in range(reads)] + [0]
    inst.extra(inst, units, 0, values, 0)
    if not stores:
        inst.put(frames, frame + code[first + reads], types[-1], values[reads])


def types_of(inst, op, code, at):
    """Value types of the slots of a rare op, in order."""
    if op < 0xCB:
        opcode = code[at + 1]
        return SIGNATURES[SATURATING[opcode - 0xFC00] if opcode >= 0xFC00 else NUMERIC[2 * (opcode - 0x45)] & 0x7F]
    if op == 0xCC:
        return b""
    if op == 0xD1:
        return b"\x70"
    if op == 0xCB:
        kind = inst.tables[code[at + 2]].kind if code[at + 1] == 17 else 0x7F
        return bytes((0x7F, kind, 0x7F))
    kind = inst.tables[code[at + 1]].kind
    return bytes(((kind, 0x7F, 0x7F), (0x7F,), (0x7F, kind), (0x7F, kind))[op - 0xCD])
