"""What is known of words of the frame while a function is compiled: how many of their low bits are 0, so that accesses need no check of alignment.

Of locals it is met where control flow meets, going over the code until nothing changes; of a temporary it is what its last op in
the same block gives.
"""

from mpwasm.compat import const
from mpwasm.native.scan import LENGTH, length, targets, words_written

_ALL = const(32)
_PASSES = const(8)
_TRAILING = b"\x04\x00\x01\x00\x02\x00\x01\x00\x03\x00\x01\x00\x02\x00\x01\x00"
_NONE = const(65536)
_SLICE = const(64)  # ops
_MUL = const(2)
_AND = const(3)
_SHL = const(6)


class Facts:
    """`zeros`, by words: the low bits that are 0; `step` keeps it up to date along the code, with `marks` for its labels."""

    def __init__(self, code, plan, params, frame):
        self.code = code
        self.marks = plan.marks
        self.params = params
        self.temps = plan.temps
        self.zeros = bytearray(frame + 2)
        if not plan.aligns:
            self.begin = self.arrive = self.idle
            self.step = None
            return
        self.unknown = bytes(len(self.zeros) - self.temps)
        self.locals = memoryview(self.zeros)[: self.temps]
        self.met = {}  # labels: what is known of the locals there

    def idle(self, at=0):
        """Nothing in this function needs facts."""

    def settle(self, regions):
        """Go over the loops until nothing changes that a branch back tells: a generator that yields now and then."""
        end = 0
        for region in regions[1:]:
            end = max(end, region.end)
        if not end:
            return
        self.begin()
        yield from self.over(0, end)
        for _ in range(_PASSES):
            if self.changed == _NONE:
                return
            self.ended = True
            yield from self.over(self.changed, end)
        if self.changed != _NONE:
            for known in self.met.values():
                known[:] = bytes(self.temps)

    def begin(self):
        """At the function's start locals are 0, and nothing is known of parameters."""
        self.ended = False
        for word in range(self.temps):
            self.zeros[word] = _ALL if word >= self.params else 0

    def over(self, at, end):
        """Go once over the code from `at` up to `end`; `changed` tells the first loop's head of which less is known than when it was passed."""
        self.changed = _NONE
        code, marks = self.code, self.marks
        ops = 0
        while at < end:
            if marks[at] & 3:
                self.arrive(at)
            self.step(at)
            at += LENGTH[code[at]] or length(code, at)
            ops += 1
            if not ops % _SLICE:
                yield 0

    def meet(self, label, at):
        """Control flow goes to the `label` from the op at `at`."""
        known = self.met.get(label)
        if known is None:
            self.met[label] = bytearray(self.locals)
        elif known != self.locals and self.lower(known) and label <= at:
            self.changed = min(self.changed, label)

    def lower(self, known):
        """Know no more at a label than here; whether that is less than before."""
        zeros = self.locals
        less = False
        for word in range(len(known)):
            if zeros[word] < known[word]:
                known[word] = zeros[word]
                less = True
        return less

    def arrive(self, at):
        """At the label `at`."""
        if not self.ended:
            self.meet(at, -1)
        if at in self.met:
            self.locals[:] = self.met[at]
        self.zeros[self.temps :] = self.unknown
        self.ended = False

    def step(self, at):
        """Behind the op at `at`."""
        code = self.code
        op = code[at]
        if op < 0x40:
            self.zeros[code[at + 3]] = self.combined(op, at) if op & 0x1F <= _SHL else 0
        elif op < 0x50:
            self.meet(code[at + 3], at)
        elif op > 0x7F:
            for word in words_written(code, at):
                self.zeros[word] = 0
        elif op > 0x5F:
            self.other(op, at)
        elif op < 0x58:
            self.zeros[code[at + 3]] = 0
            if op == 0x55:
                self.zeros[code[at + 3] + 1] = 0

    def other(self, op, at):
        """Behind the op at `at`, from 0x60 to 0x7F."""
        code, zeros = self.code, self.zeros
        if op == 0x60:
            zeros[code[at + 2]] = zeros[code[at + 1]]
        elif op == 0x62:
            zeros[code[at + 2]] = trailing(code[at + 1])
        else:
            self.rare(op, at)

    def rare(self, op, at):
        """Behind the op at `at`, one of those that there are fewer of."""
        code, zeros = self.code, self.zeros
        if op == 0x72 or op == 0x73:
            at += 3 if op == 0x72 else 5
            zeros[code[at]] = 0
            for word in range(code[at - 1], len(zeros)):
                zeros[word] = 0
            return
        written = words_written(code, at)
        if len(written) == 1:
            zeros[written[0]] = self.made(op, at)
        for word in written[1:]:
            zeros[word - 1] = zeros[word] = 0
        if 0x70 <= op < 0x76:
            for unit in targets(code, at):
                self.meet(code[unit], at)
            self.ended = True

    def made(self, op, at):
        """What is known of the one word that the op at `at` makes."""
        code, zeros = self.code, self.zeros
        a, b = code[at + 1], code[at + 2]
        if op == 0x63:
            return trailing(a or b << 16)
        return min(zeros[a], zeros[b]) if op == 0x69 else 0

    def combined(self, op, at):
        """The low bits that are 0 in the result of an i32 op up to a shift to the left, from those of its operands."""
        a, b = self.zeros[self.code[at + 1]], self.code[at + 2]
        kind = op & 0x1F
        if kind == _SHL:
            b = b & 31 if op & 0x20 else 0
        else:
            b = trailing(b) if op & 0x20 else self.zeros[b]
        if kind == _MUL or kind == _SHL:
            return a + b if a + b < _ALL else _ALL
        return a if (a > b) == (kind == _AND) else b


def trailing(value):
    """How many low bits of a constant are 0."""
    if not value:
        return _ALL
    n = 0
    while not value & 15:
        value >>= 4
        n += 4
    return n + _TRAILING[value & 15]
