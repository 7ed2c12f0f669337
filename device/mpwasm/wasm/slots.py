"""The slot ops: one row each, for the disassembler, the docs and the tests; boards do not load it.

A function's slot code is 16-bit units: an op number, then its operands. `s` in a format is a frame slot that is read,
`d` one that is written, `k` a signed constant of 16 bits, `u` an unsigned one, `t` a branch target (a unit of the same
function), `*` the targets of a br_table, one more than the operand before says.
"""

_BINARY = "add sub mul and or xor shl shr_s shr_u rotl rotr div_s div_u rem_s rem_u - eq ne lt_s ge_s lt_u ge_u".split()


def _rows():
    rows = {}
    for base, prefix in ((0x00, "i32."), (0x80, "i64.")):
        for i, name in enumerate(_BINARY):
            if name != "-":
                rows[base + i] = (prefix + name, "ssd")
                rows[base + 0x20 + i] = (prefix + name + ".k", "skd")
    for i, name in enumerate(_BINARY[16:]):
        rows[0x40 + i] = ("br_" + name, "sst")
        rows[0x48 + i] = ("br_" + name + ".k", "skt")
    for i, name in enumerate("8_u 8_s 16_u 16_s 32 64".split()):
        rows[0x50 + i] = ("load" + name, "sud")
    for i, name in enumerate("8 16 32 64".split()):
        rows[0x58 + i] = ("store" + name, "ssu")
    plain = (
        "move sd|move64 sd|const kd|const32 uud|const64 uuuud|global.get ud|global.set su|global.get64 ud|global.set64 su|"
        "select sssd|select64 sssd|i32.extend8_s sd|i32.extend16_s sd|i32.clz sd|i32.ctz sd|i32.popcnt sd|br t|br_table su*|"
        "call uud|call_indirect suuud|return su|unreachable|address suud|memory.size d|memory.grow sd"
    )
    for i, row in enumerate(plain.split("|")):
        name, _, operands = row.partition(" ")
        rows[0x60 + i] = (name, operands)
    for i, name in enumerate("i32.wrap i64.extend32_s i64.extend32_u i64.clz i64.ctz i64.popcnt i64.extend8_s i64.extend16_s i64.extend_s".split()):
        rows[0xC0 + i] = (name, "sd")
    rare = "float1 usd|float2 ussd|bulk uuusss|drop uu|table.grow ussd|table.size ud|table.get usd|table.set uss|ref.func ud"
    for i, row in enumerate(rare.split("|")):
        rows[0xC9 + i] = tuple(row.split(" "))
    return rows


OPS = _rows()


def length(code, at):
    """Units of the op at unit `at` of `code`, its operands included."""
    operands = OPS[code[at]][1]
    return 1 + len(operands) + (code[at + 2] if operands.endswith("*") else 0)


def disassemble(code):
    """Text lines for `code`, one per op: unit, name, operands."""
    lines = []
    at = 0
    while at < len(code):
        name, operands = OPS[code[at]]
        words = []
        for i in range(1, length(code, at)):
            kind = operands[min(i, len(operands)) - 1]
            value = code[at + i]
            if kind == "k" and value > 32767:
                value -= 65536
            words.append({"s": "s", "d": ">s", "t": "@", "*": "@"}.get(kind, "") + str(value))
        lines.append("%4d  %-14s %s" % (at, name, " ".join(words)))
        at += length(code, at)
    return lines
