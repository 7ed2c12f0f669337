"""Which register holds what, while a function is compiled: words of the frame that live in one all through a loop (pins), and for the rest a cache.

A word's *backing* is its place in the frame, or the high register that it is pinned to; the cache (`pool`, the low registers without pins)
holds copies, changed ones until a branch or label. Reading a temporary ends it: an operand is popped once.
"""

from collections import OrderedDict

from mpwasm.compat import const

_NOTHING = const(-1)  # held: nothing; used: no register
_CONSTANT = const(-2)  # held: the constant in `values`


class Registers:
    """The state, by register number: `held` a word of the frame, `stamp` when it was last used; bits in `dirty`: its backing is older;
    in `locked`: an operand of the op under way."""

    def __init__(self, cpu):
        self.cpu = cpu
        size = max(cpu.LOW) + 1
        self.held = [_NOTHING] * size
        self.values = [0] * size
        self.stamp = [0] * size
        self.clock = 0
        self.dirty = 0
        self.locked = 0
        self.lazy = OrderedDict()  # temporaries that are constants, not made yet
        self.sums = {}  # temporaries that are a pinned word plus a constant, not made yet: both
        self.pins = {}
        self.homes = {}
        self.written = ()
        self.pool = cpu.POOL
        self.temps = 0

    def pin(self, pins):
        """From here on `pins` says which words live in registers; the cache must be empty."""
        taken = pins.values()
        self.pins = pins
        self.homes = {word: pins[word] for word in pins if pins[word] in self.cpu.LOW}
        self.pool = [r for r in self.cpu.POOL if r not in taken]

    def home(self, word):
        """The low register that `word` is pinned to, or -1."""
        return self.homes.get(word, _NOTHING)

    def find(self, word):
        """The cache register that holds `word`, or -1."""
        held = self.held  # what is not of the pool holds nothing
        return held.index(word) if word in held else _NOTHING

    def lock(self, r):
        """`r` is an operand until `locked` is 0."""
        self.clock = self.stamp[r] = self.clock + 1
        self.locked |= 1 << r
        return r

    def unlock(self, r):
        """`r` is no operand any more, but may still hold its word."""
        self.locked &= ~(1 << r)

    def grab(self):
        """A free cache register, locked; what was used longest ago goes to its backing."""
        r = self.spare()
        if r < 0:
            raise RuntimeError
        return r

    def spare(self):
        """A free cache register, locked, or -1 if all are operands."""
        locked, held = self.locked, self.held
        for r in self.pool:
            if held[r] == _NOTHING and not locked >> r & 1:
                self.clock = self.stamp[r] = self.clock + 1
                self.locked |= 1 << r
                return r
        r = self.oldest_of(locked)
        if r >= 0:
            if self.dirty >> r & 1:
                self.back(r)
            held[r] = _NOTHING
            self.clock = self.stamp[r] = self.clock + 1
            self.locked |= 1 << r
        return r

    def oldest_of(self, locked):
        """The register of the pool that was used longest ago, of those that are not in `locked`, or -1; one that needs no store comes first."""
        best, least = _NOTHING, 1 << 29
        stamp, dirty = self.stamp, self.dirty
        for r in self.pool:
            age = stamp[r] + ((dirty >> r & 1) << 28)
            if not locked >> r & 1 and age < least:
                best, least = r, age
        return best

    def evict(self, r):
        """Free cache register `r`."""
        if self.dirty >> r & 1:
            self.back(r)
        self.held[r] = _NOTHING

    def back(self, r):
        """Bring the backing of the word in `r` up to date."""
        self.dirty &= ~(1 << r)
        pin = self.pins.get(self.held[r], _NOTHING)
        if pin == _NOTHING:
            self.cpu.store(r, self.held[r])
        else:
            self.cpu.move(pin, r)

    def flush(self):
        """Bring all backings up to date; the cache stays as it is."""
        while self.lazy:
            self.make(min(self.lazy))  # the same order on both Pythons: MicroPython's dicts have none
        if self.dirty:
            for r in self.pool:
                if self.dirty >> r & 1:
                    self.back(r)

    def make(self, word):
        """Store the constant that `word` is."""
        before = self.locked
        self.cpu.store(self.constant(self.lazy.pop(word)), word)
        self.locked = before

    def forget(self):
        """The cache holds nothing any more."""
        self.dirty = 0
        self.lazy.clear()
        held = self.held
        for r in self.pool:
            held[r] = _NOTHING

    def use(self, word, keep=False):
        """A low register that holds `word`, which stays as it is until `locked` is 0; a temporary is dead from now on unless it is kept."""
        held = self.held
        if word in held:
            r = held.index(word)
            self.locked |= 1 << r
        elif word in self.homes:
            return self.homes[word]
        elif self.lazy and word in self.lazy:
            return self.constant(self.lazy[word] if keep else self.lazy.pop(word))
        else:
            r = self.grab()
            held[r] = word
            pin = self.pins.get(word, _NOTHING)
            if pin == _NOTHING:
                self.cpu.load(r, word)
            else:
                self.cpu.move(r, pin)
        if word < self.temps or keep:
            self.clock = self.stamp[r] = self.clock + 1
        else:
            held[r] = _NOTHING
            self.dirty &= ~(1 << r)
        return r

    def kill(self, word):
        """The operand `word` is not needed any more."""
        if word >= self.temps:
            self.drop(word)

    def fetch(self, r, word):
        """Load `word`, which no cache register holds, into `r`."""
        if self.lazy and word in self.lazy:
            self.cpu.constant(r, self.lazy[word])
            return
        pin = self.pins.get(word, _NOTHING)
        if pin == _NOTHING:
            self.cpu.load(r, word)
        else:
            self.cpu.move(r, pin)

    def constant(self, value):
        """A low register that holds the constant `value` (32 bits, of any sign) until `locked` is 0."""
        value &= 0xFFFFFFFF
        if _CONSTANT in self.held:
            for r in self.pool:
                if self.held[r] == _CONSTANT and self.values[r] == value:
                    return self.lock(r)
            if not self.cpu.cheap(value):
                for r in self.pool:
                    if self.held[r] == _CONSTANT and -255 <= value - self.values[r] < 256 and not self.locked >> r & 1:
                        return self.near(r, value)
        r = self.grab()
        self.cpu.constant(r, value)
        self.held[r] = _CONSTANT
        self.values[r] = value
        return r

    def near(self, r, value):
        """The same, made of the one in register `r`, not far from it."""
        self.cpu.binary_k(0, r, r, value - self.values[r])
        self.values[r] = value
        return self.lock(r)

    def drop(self, word):
        """No cache register holds `word` any more: its value is made anew."""
        if self.lazy:
            self.lazy.pop(word, 0)
        if word in self.held:
            r = self.held.index(word)
            self.held[r] = _NOTHING
            self.dirty &= ~(1 << r)

    def dead(self, r):
        """Whether `r` holds an operand that nothing needs after this op."""
        return r in self.pool and self.held[r] == _NOTHING

    def over(self, a, b=_NOTHING):
        """A locked cache register for a result that may overwrite the operands in `a` and `b`: one that is dead, a free one, at last `a` or `b`."""
        pool, held = self.pool, self.held
        if a in pool and held[a] == _NOTHING:
            return a
        if b in pool and held[b] == _NOTHING:
            return b
        r = self.spare()
        if r < 0:
            r = a if a in pool else b
            self.evict(r)
        return r

    def define(self, word, a=_NOTHING, b=_NOTHING):
        """The low register in which to compute `word`: where it is pinned, where it was, else as `over` says.

        It may be one that holds an operand.
        """
        held = self.held
        if word in held:
            r = held.index(word)
        elif word in self.homes:
            return self.homes[word]
        else:
            if self.lazy:
                self.lazy.pop(word, 0)
            r = self.over(a, b)
            held[r] = word
        self.dirty |= 1 << r
        self.clock = self.stamp[r] = self.clock + 1
        self.locked |= 1 << r
        return r

    def own(self, r, word):
        """Cache register `r` holds the new value of `word`."""
        self.held[r] = word
        self.dirty |= 1 << r
        self.clock = self.stamp[r] = self.clock + 1
        self.locked |= 1 << r

    def empty(self, r):
        """Make `r` free and locked, if it is of the cache."""
        if r in self.pool:
            self.evict(r)
        self.lock(r)

    # pins go to the frame and back where the cache is flushed and about to be forgotten; SCRATCH may be lost

    def save(self, word, r):
        """Store to the frame the `word` that is pinned to `r`."""
        cpu = self.cpu
        if r not in cpu.LOW:
            cpu.move(cpu.SCRATCH, r)
            r = cpu.SCRATCH
        cpu.store(r, word)

    def restore(self, word, r):
        """Load from the frame the `word` that is pinned to `r`."""
        cpu = self.cpu
        if r in cpu.LOW:
            cpu.load(r, word)
        else:
            cpu.load(cpu.SCRATCH, word)
            cpu.move(r, cpu.SCRATCH)

    def save_pins(self):
        """Bring the frame up to date with the pinned words that are ever written."""
        for word in self.pins:
            if word in self.written:
                self.save(word, self.pins[word])

    def restore_pins(self):
        """Load all pinned words from the frame."""
        for word in self.pins:
            self.restore(word, self.pins[word])

    def differ(self, before, after):
        """Whether `passage` has anything to do."""
        for word in before:
            if word in self.written and after.get(word) != before[word]:
                return True
        return any(before.get(word) != after[word] for word in after)

    def passage(self, before, after):
        """From where words are pinned as `before` says to where they are as `after` says."""
        for word in before:
            if word in self.written and after.get(word) != before[word]:
                self.save(word, before[word])
        for word in after:
            if before.get(word) != after[word]:
                self.restore(word, after[word])
