"""Instructions as trees: what the generator makes, the shrinker cuts, and the binary format is written from.

A node takes what its `kids` leave on the operand stack. Three pseudo-instructions encode to nothing: SEQ stands for its kids
one after the other, PARAM for a block's parameter that already lies on the stack, and both carry types all the same.
"""

from wasmbuild import sleb, uleb

I32, I64, F32, F64, FUNC, EXT = 0x7F, 0x7E, 0x7D, 0x7C, 0x70, 0x6F
NUMBERS = (I32, I64, F32, F64)
NAMES = {I32: "i32", I64: "i64", F32: "f32", F64: "f64", FUNC: "funcref", EXT: "externref"}
SEQ, PARAM = -1, -2


class Node:
    """One instruction: `op` (0xFC00 + number behind the prefix), `types` it leaves, `kids` (operands, in order), `imm` (its
    immediates, encoded) and `bodies` (one list of nodes for block and loop, up to two for if)."""

    __slots__ = ("op", "types", "kids", "imm", "bodies")

    def __init__(self, op, types=b"", kids=(), imm=b"", bodies=()):
        self.op, self.types, self.kids, self.imm, self.bodies = op, bytes(types), list(kids), imm, [list(body) for body in bodies]


def opcode(op):
    """The bytes of an opcode."""
    return b"\xfc" + uleb(op - 0xFC00) if op >= 0xFC00 else bytes((op,))


def encode(node, out):
    """Append the binary form of `node` to the bytearray `out`."""
    for kid in node.kids:
        encode(kid, out)
    if node.op < 0:
        return
    out += opcode(node.op) + node.imm
    for i, body in enumerate(node.bodies):
        if i:
            out.append(0x05)
        for inner in body:
            encode(inner, out)
    if node.bodies:
        out.append(0x0B)


def walk(node):
    """`node` and all nodes below it."""
    yield node
    for kid in node.kids:
        yield from walk(kid)
    for body in node.bodies:
        for inner in body:
            yield from walk(inner)


def const(valtype, value):
    """The constant instruction (or null reference) of `valtype`; a float is given by its bits."""
    if valtype == I32:
        return Node(0x41, (I32,), imm=sleb(value - (1 << 32) if value >> 31 == 1 else value))
    if valtype == I64:
        return Node(0x42, (I64,), imm=sleb(value - (1 << 64) if value >> 63 == 1 else value))
    if valtype in (F32, F64):
        return Node(0x43 if valtype == F32 else 0x44, (valtype,), imm=value.to_bytes(4 if valtype == F32 else 8, "little"))
    return Node(0xD0, (valtype,), imm=bytes((valtype,)))


def seq(nodes):
    """`nodes` one after the other, as one."""
    nodes = list(nodes)
    return nodes[0] if len(nodes) == 1 else Node(SEQ, b"".join(node.types for node in nodes), nodes)


def text(node, depth=0):
    """Lines of an indented listing of `node`, operands first as in the binary."""
    from mpwasm.wasm.names import opcode_name

    lines = [line for kid in node.kids for line in text(kid, depth)]
    if node.op >= 0:
        pad = "  " * depth
        lines.append(pad + opcode_name(node.op) + (" " + node.imm.hex() if node.imm else ""))
        for i, body in enumerate(node.bodies):
            lines += [pad + "else"] if i else []
            lines += [line for inner in body for line in text(inner, depth + 1)]
        lines += [pad + "end"] if node.bodies else []
    return lines
