"""Counts what a module's code section holds: bytes of code and instructions (spec 5.4, 5.5.13)."""

_LEBS = {
    0x02: 1, 0x03: 1, 0x04: 1, 0x0C: 1, 0x0D: 1, 0x10: 1, 0x11: 2, 0x20: 1, 0x21: 1, 0x22: 1, 0x23: 1, 0x24: 1, 0x25: 1, 0x26: 1,
    0x3F: 1, 0x40: 1, 0x41: 1, 0x42: 1, 0xD0: 1, 0xD2: 1, **{op: 2 for op in range(0x28, 0x3F)},
}  # fmt: skip
_PREFIXED = {8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1}


class Bytes:
    """A position in `raw`."""

    def __init__(self, raw, pos=0):
        self.raw, self.pos = raw, pos

    def leb(self):
        """A LEB128; signed ones are only passed over."""
        value = shift = 0
        while True:
            b = self.raw[self.pos]
            self.pos += 1
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    def instruction(self):
        """Pass over one."""
        op = self.raw[self.pos]
        self.pos += 1
        count = _LEBS.get(op, 0)
        if op == 0xFC:
            count = _PREFIXED.get(self.leb(), 0)
        elif op in (0x0E, 0x1C):
            count = self.leb() + (op == 0x0E)
        elif op in (0x43, 0x44):
            self.pos += 4 if op == 0x43 else 8
        for _ in range(count):
            self.leb()


def bodies(raw):
    """(bytes of code, instructions) of each function: locals and sizes not counted."""
    at = Bytes(raw, 8)
    found = []
    while at.pos < len(raw):
        number, size = raw[at.pos], 0
        at.pos += 1
        size = at.leb()
        end = at.pos + size
        if number == 10:
            found = [body(at) for _ in range(at.leb())]
        at.pos = end
    return found


def body(at):
    """One function."""
    end = at.leb() + at.pos
    for _ in range(at.leb()):
        at.leb()
        at.pos += 1
    first, count = at.pos, 0
    while at.pos < end:
        at.instruction()
        count += 1
    return end - first, count
