"""What is known of words of the frame while a function is compiled: how many of their low bits are 0, so that accesses need no check of alignment.

Of locals it is met where control flow meets, going over the code until nothing changes; of a temporary it is what its last op in
the same block gives.
"""

from mpwasm.compat import const
from mpwasm.native.scan import length, targets, words_written

_ALL = const(32)
_PASSES = const(8)
_MUL = const(2)
_AND = const(3)
_SHL = const(6)


class Facts:
    """`zeros`, by words: the low bits that are 0; `step` keeps it up to date along the code, with `marks` for its labels."""

    def __init__(self, code, marks, params, temps, frame):
        self.code = code
        self.marks = marks
        self.params = params
        self.temps = temps
        self.zeros = bytearray(frame + 2)
        self.met = {}  # labels: what is known of the locals there
        self.changed = any_aligned(code)
        if not self.changed:
            self.arrive = self.step = self.idle
            return
        loops = any(mark & 2 for mark in marks)
        for _ in range(_PASSES):
            if loops and self.changed:
                self.over()
        if loops and self.changed:
            for known in self.met.values():
                known[:] = bytes(temps)
        self.begin()

    def idle(self, at):
        """Nothing in this function needs facts."""

    def begin(self):
        """At the function's start locals are 0, and nothing is known of parameters."""
        self.changed = self.ended = False
        for word in range(self.temps):
            self.zeros[word] = _ALL if word >= self.params else 0

    def over(self):
        """Go over the code once; `changed` tells whether less was known at some label than before."""
        self.begin()
        at = 0
        while at < len(self.code):
            if self.marks[at] & 3:
                self.arrive(at)
            self.step(at)
            at += length(self.code, at)

    def meet(self, label):
        """Control flow goes to the `label` from here."""
        known, zeros = self.met.get(label), self.zeros
        if known is None:
            self.met[label] = bytearray(zeros[: self.temps])
            self.changed = True
            return
        for word in range(self.temps):
            if zeros[word] < known[word]:
                known[word] = zeros[word]
                self.changed = True

    def arrive(self, at):
        """At the label `at`."""
        if not self.ended:
            self.meet(at)
        if at in self.met:
            self.zeros[: self.temps] = self.met[at]
        for word in range(self.temps, len(self.zeros)):
            self.zeros[word] = 0
        self.ended = False

    def step(self, at):
        """Behind the op at `at`."""
        code, zeros = self.code, self.zeros
        op = code[at]
        if op < 0x40:
            kind = op & 0x1F
            zeros[code[at + 3]] = self.combined(kind, op, at) if kind <= _SHL else 0
            return
        if op < 0x60:
            if op < 0x50:
                self.meet(code[at + 3])
            elif op < 0x58:
                zeros[code[at + 3]] = 0
                if op == 0x55:
                    zeros[code[at + 3] + 1] = 0
            return
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
        for unit in targets(code, at):
            self.meet(code[unit])
        if 0x70 <= op < 0x76:
            self.ended = True

    def made(self, op, at):
        """What is known of the result of the op at `at`, from 0x60 on."""
        code, zeros = self.code, self.zeros
        a = code[at + 1]
        if op == 0x60:
            return zeros[a]
        if op == 0x62 or op == 0x63:
            return trailing(a if op == 0x62 or a else code[at + 2] << 16)
        return min(zeros[a], zeros[code[at + 2]]) if op == 0x69 else 0

    def combined(self, kind, op, at):
        """The low bits that are 0 in the result of an i32 op up to a shift to the left, from those of its operands."""
        a, k = self.zeros[self.code[at + 1]], self.code[at + 2]
        if kind == _SHL:
            return min(_ALL, a + (k & 31)) if op & 0x20 else a
        b = trailing(k) if op & 0x20 else self.zeros[k]
        if kind == _AND:
            return max(a, b)
        return min(_ALL, a + b) if kind == _MUL else min(a, b)


def trailing(value):
    """How many low bits of a constant are 0."""
    n = 0
    while n < _ALL and not value >> n & 1:
        n += 1
    return n


def any_aligned(code):
    """Whether there is a load or store of more than a byte."""
    at = 0
    while at < len(code):
        op = code[at]
        if 0x52 <= op < 0x56 or 0x59 <= op < 0x5C:
            return True
        at += length(code, at)
    return False
