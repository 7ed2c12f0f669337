"""64-bit integers as pairs of words, low one first: copies, addition, logic, comparison, shifts by constants."""

from mpwasm.compat import const
from mpwasm.native.borrowed import Borrowed

_NOTHING = const(-1)
_OR = const(4)
_XOR = const(5)
_SHL = const(6)
_SHR_S = const(7)
_SHR_U = const(8)


class Pairs(Borrowed):
    """A function that knows i64. The words of source and result are the same or apart, never shifted against each other."""

    def wide(self, op, at):
        """Slot ops 0x80 to 0xC8."""
        code = self.code
        if op >= 0xC0:
            self.unary(op, at)
            return
        kind = op & 0x1F
        k = code[at + 2] - (code[at + 2] >> 15 << 16) if op & 0x20 else None
        if kind < 2:
            self.carried(kind, code[at + 1], code[at + 2], k, code[at + 3])
        elif kind >= 16:
            self.compare_wide(kind - 16, at, k)
        elif 2 < kind < 6:
            a, b, word = code[at + 1], code[at + 2], code[at + 3]
            self.compute(kind, a, b, k, word)
            self.compute(kind, a + 1, b + 1, k if k is None else k >> 31, word + 1)
        elif 6 <= kind < 11 and k is not None:
            self.shift(kind, code[at + 1], k & 63, code[at + 3])
        elif kind == 2 and self.cpu.WIDENS:
            self.multiply_wide(code[at + 1], code[at + 2], k, code[at + 3])
        elif not self.from_library(at):
            self.python(at)

    def multiply_wide(self, a, b, k, word):
        """A product, by the CPU's own high halves of products."""
        x = self.use(a), self.use(a + 1)
        y = (self.use(b), self.use(b + 1)) if k is None else (self.constant(k), self.constant(k >> 31))
        low = self.define(word, x[0], y[0])
        self.cpu.multiply_wide(low, self.define(word + 1, x[1], y[1]), x, y)

    def unary(self, op, at):
        """wrap, the extensions; what counts bits goes elsewhere."""
        a, word = self.code[at + 1], self.code[at + 2]
        if op == 0xC0:
            self.move(a, word)
            self.kill(a + 1)
        elif op == 0xC2:
            self.move(a, word)
            self.put_constant(word + 1, 0)
        elif 0xC3 <= op <= 0xC5:
            self.rest(op, at)
        else:
            if op == 0xC1 or op == 0xC8:
                self.move(a, word)
            else:
                rs = self.use(a)
                self.cpu.sign_extend(8 if op == 0xC6 else 16, self.define(word, rs), rs)
                self.locked = 0
            if op != 0xC1:
                self.kill(a + 1)
            self.shift_word(_SHR_S, word, 31, word + 1)

    def shift_word(self, kind, a, k, word):
        """word = a shifted by 0 < k < 32; a stays."""
        ra = self.use(a, True)
        self.cpu.binary_k(kind, self.define(word), ra, k)
        self.locked = 0

    # sums

    def carried(self, kind, a, b, k, word):
        """Addition (0), subtraction (1): low words, then high words with the carry."""
        cpu = self.cpu
        low = high = 0
        if k is not None:
            if k < 0:
                kind, k = kind ^ 1, -k
            low, high = self.constant(k), self.constant(0)
        ra = self.use(a)
        if k is None:
            low = self.use(b)
        cpu.first(kind, self.define(word, ra, low), ra, low)
        self.locked = 0
        cpu.carry = True
        if k is None:
            high = self.use(b + 1)
        self.lock(high)
        ra = self.use(a + 1)
        cpu.second(kind, self.define(word + 1, ra, high), ra, high)
        cpu.carry = False
        self.locked = 0

    # comparisons

    def compare_wide(self, kind, at, k):
        """A comparison, with the branch behind it that is made of its result."""
        code = self.code
        if kind < 2:
            r = self.difference(code[at + 1], code[at + 2], k)
            if self.branches_on(at):
                self.locked = 0
                self.lock(r)
                self.flush()
                self.branch_on(at, self.cpu.compare_k(kind, r, 0))
            else:
                self.cpu.set_if_k(kind, self.define(code[at + 3], r), r, 0)
            return
        cpu = self.cpu
        if k is None and code[at + 2] in self.lazy and code[at + 2] + 1 in self.lazy:
            k = self.lazy.pop(code[at + 2]) & 0xFFFFFFFF | (self.lazy.pop(code[at + 2] + 1) & 0xFFFFFFFF) << 32
        self.flush()
        if k is not None:
            low, high = self.constant(k), self.constant(k >> 32)
        ra = self.use(code[at + 1])
        if k is None:
            low = self.use(code[at + 2])
        free = self.over(ra, low)
        cpu.below_first(kind, free, ra, low)
        self.locked = 0
        self.lock(free)
        cpu.carry = True
        if k is None:
            high = self.use(code[at + 2] + 1)
        self.lock(high)
        ra = self.use(code[at + 1] + 1)
        branches = self.branches_on(at)
        rd = _NOTHING if branches else self.define(code[at + 3], free)
        condition = cpu.below_second(kind, free, ra, high)
        cpu.carry = False
        if branches:
            self.branch_on(at, condition)
        else:
            cpu.set_flag(rd, condition)

    def difference(self, a, b, k):
        """A register that is 0 if the pairs `a` and `b` (or the constant `k`) are equal."""
        cpu = self.cpu
        if k == 0:
            ra, rb = self.use(a), self.use(a + 1)
            out = self.over(ra, rb)
            cpu.binary(_OR, out, ra, rb)
            return out
        out = self.differ_word(a, b, k)
        self.locked = 0
        self.lock(out)
        cpu.binary(_OR, out, out, self.differ_word(a + 1, b + 1, None if k is None else k >> 31))
        return out

    def differ_word(self, a, b, k):
        """A register with the bits that differ."""
        ra = self.use(a)
        rb = self.use(b) if k is None else self.constant(k)
        out = self.over(ra, rb)
        self.cpu.binary(_XOR, out, ra, rb)
        return out

    def branches_on(self, at):
        """Whether the comparison at `at` is only made for the branch behind it."""
        code = self.code
        word, after = code[at + 3], at + 4
        if after >= len(code) or code[after] & 0xFFFE != 0x48 or code[after + 1] != word or code[after + 2]:
            return False
        return word >= self.temps and not self.plan.marks[after]

    def branch_on(self, at, condition):
        """That branch, where the comparison holds on `condition`."""
        after = at + 4
        self.branch(condition if self.code[after] == 0x49 else self.cpu.opposite(condition), self.code[after + 3])
        self.skip = 4

    # shifts by constants

    def shift(self, kind, a, k, word):
        """A pair shifted or rotated by `k`, 0 to 63."""
        if kind > 8:
            self.rotate(64 - k & 63 if kind > 9 else k, a, word)
        elif k == 0:
            self.move(a, word)
            self.move(a + 1, word + 1)
        elif k >= 32:
            self.shift_far(kind, a, k - 32, word)
        else:
            # the word that takes bits of the other comes first
            near, far = (1, 0) if kind == _SHL else (0, 1)
            back = _SHR_U if kind == _SHL else _SHL
            self.funnel(_SHL if kind == _SHL else _SHR_U, back, a + near, a + far, k, word + near)
            ra = self.use(a + far)
            self.cpu.binary_k(kind, self.define(word + far, ra), ra, k)
            self.locked = 0

    def funnel(self, kind, back, a, b, k, word):
        """word = a shifted by k, with the bits of b that come in; b stays."""
        cpu = self.cpu
        rb = self.use(b, True)
        bits = self.grab()
        cpu.binary_k(back, bits, rb, 32 - k)
        self.unlock(rb)
        ra = self.use(a)
        rd = self.define(word, ra)
        cpu.binary_k(kind, rd, ra, k)
        cpu.binary(_OR, rd, rd, bits)
        self.locked = 0

    def shift_far(self, kind, a, k, word):
        """A shift by 32 or more: one word is moved to the other's place, shifted by `k`."""
        source, to = (a, word + 1) if kind == _SHL else (a + 1, word)
        other = word + word + 1 - to
        if kind == _SHR_S:
            self.move_shifted(kind, source, k, to, True)
            ra = self.use(source)
            self.cpu.binary_k(kind, self.define(other, ra), ra, 31)
            self.locked = 0
        else:
            self.kill(a + a + 1 - source)
            self.move_shifted(kind, source, k, to, False)
            self.put_constant(other, 0)

    def move_shifted(self, kind, source, k, word, keep):
        """word = source shifted by 0 to 31."""
        rs = self.use(source, keep)
        rd = self.define(word, rs)
        if k:
            self.cpu.binary_k(kind, rd, rs, k)
        else:
            self.cpu.move(rd, rs)
        self.locked = 0

    def rotate(self, k, a, word):
        """A pair rotated left by `k`, 0 to 63."""
        cpu = self.cpu
        low, high = (a + 1, a) if k >= 32 else (a, a + 1)
        k &= 31
        x, y = self.use(low), self.use(high)
        if k:
            into_x, into_y = self.grab(), self.grab()
            cpu.binary_k(_SHR_U, into_x, y, 32 - k)
            cpu.binary_k(_SHR_U, into_y, x, 32 - k)
        new_x = self.over(x)
        self.turned(new_x, x, k, into_x if k else 0)
        if k:
            self.unlock(into_x)
        new_y = self.over(y)
        self.turned(new_y, y, k, into_y if k else 0)
        self.receive(word, new_x)
        self.receive(word + 1, new_y)
        self.locked = 0

    def turned(self, rd, ra, k, bits):
        """rd = ra << k | bits, for k of 0 rd = ra."""
        if k:
            self.cpu.binary_k(_SHL, rd, ra, k)
            self.cpu.binary(_OR, rd, rd, bits)
        else:
            self.cpu.move(rd, ra)
