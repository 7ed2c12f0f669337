"""Slot ops of 32 bits, moves and memory, as calls of a CPU's templates on registers."""

from mpwasm.compat import const
from mpwasm.native.facts import trailing
from mpwasm.native.pairs import Pairs
from mpwasm.native.scan import words_read, words_written

_NOTHING = const(-1)
_ACCESS = const(3)
_OP = const(4)
_BOUNDS = const(8)
_SIZES = b"\x00\x00\x01\x01\x02\x02\x00\x00\x00\x01\x02\x02"  # alignment that 0x50 to 0x5B need, as a power of two


class Lowering(Pairs):
    """All slot ops; `one` picks the way for an op."""

    # found in this class, too: MicroPython looks class by class, for each 3 us on an RP2040
    use, define, own, over, spare, grab, fetch = Pairs.use, Pairs.define, Pairs.own, Pairs.over, Pairs.spare, Pairs.grab, Pairs.fetch
    constant, evict, back, flush, drop, forget, lock = Pairs.constant, Pairs.evict, Pairs.back, Pairs.flush, Pairs.drop, Pairs.forget, Pairs.lock
    unlock, site, hop, branch, to_label, close, later = Pairs.unlock, Pairs.site, Pairs.hop, Pairs.branch, Pairs.to_label, Pairs.close, Pairs.later
    from_library, save, restore, receive, wide = Pairs.from_library, Pairs.save, Pairs.restore, Pairs.receive, Pairs.wide

    def one(self, at):
        """The op at unit `at`."""
        op = self.code[at]
        if op < 0x40:
            self.binary(op, at)
        elif op < 0x50:
            self.compare_branch(op, at)
        elif op < 0x60:
            self.access(op, at)
        elif 0x7F < op < 0xC9:
            self.wide(op, at)
        elif op < 0x65:
            self.copy(op, at)
        elif op < 0x69:
            self.global_(op, at)
        elif op < 0x6B:
            self.select(op, at)
        elif op < 0x6D:
            self.extend(at)
        elif 0x6F < op < 0x76:
            self.control(op, at)
        else:
            self.rest(op, at)

    def rest(self, op, at):
        """Ops without a template here: the FPU, a helper of the CPU, a library function or Python."""
        if op == 0x76:
            self.address(at)
        elif op == 0x6D and self.cpu.CLZ:
            rs = self.use(self.code[at + 1])
            self.cpu.leading_zeros(self.define(self.code[at + 2], rs), rs)
        elif not (self.cpu.FPU and self.cpu.float_op(self, at)) and not self.from_library(at):
            self.python(at)

    # copies

    def copy(self, op, at):
        """move, move64, const, const32, const64."""
        code = self.code
        if op < 0x62:
            for i in range(op - 0x5F):
                self.move(code[at + 1] + i, code[at + 2] + i)
        elif op == 0x62:
            self.put_constant(code[at + 2], (code[at + 1] ^ 0x8000) - 0x8000)
        else:
            slot = code[at + (3 if op == 0x63 else 5)]
            for i in range(op - 0x62):
                self.put_constant(slot + i, code[at + 1 + 2 * i] | code[at + 2 + 2 * i] << 16)

    def move(self, source, word):
        """Copy a word."""
        if source < self.temps and source not in self.homes and source not in self.held:
            self.fetch(self.define(word), source)
            self.locked = 0
            return
        rs = self.use(source)
        home = self.home(word)
        if home < 0 and rs in self.pool and self.held[rs] == _NOTHING:
            self.drop(word)
            self.own(rs, word)
        else:
            self.cpu.move(self.define(word), rs)
        self.locked = 0

    def put_constant(self, word, value):
        """word = value; a temporary is made where it is used."""
        if word >= self.temps and word not in self.pins:
            if word in self.held:
                self.drop(word)
            self.lazy[word] = value
        else:
            self.cpu.constant(self.define(word), value)
            self.locked = 0

    def global_(self, op, at):
        """global.get and global.set: words of the record."""
        code = self.code
        wide = 1 if op < 0x67 else 2
        if op & 1:
            for i in range(wide):
                self.cpu.get_global(self.define(code[at + 2] + i), 2 * code[at + 1] + i)
        else:
            for i in range(wide):
                rt = self.use(code[at + 1] + i)
                self.cpu.set_global(rt, 2 * code[at + 2] + i, self.grab())
                self.locked = 0

    def select(self, op, at):
        """select and select64."""
        code = self.code
        wide = op - 0x68
        condition = self.use(code[at + 3])
        for i in range(wide):
            ra, rb = self.use(code[at + 1] + i), self.use(code[at + 2] + i)
            if i == wide - 1 and self.dead(condition):
                rd = self.define(code[at + 4] + i, ra if self.dead(ra) else condition, rb)
            else:
                rd = self.define(code[at + 4] + i, ra, rb)
            self.cpu.select(rd, condition, ra, rb)
            self.locked = 0
            self.lock(condition)
        self.locked = 0

    def extend(self, at):
        """i32.extend8_s, i32.extend16_s."""
        code = self.code
        rs = self.use(code[at + 1])
        self.cpu.sign_extend(8 if code[at] == 0x6B else 16, self.define(code[at + 2], rs), rs)

    def address(self, at):
        """A large offset added to an address; beyond 2**32 it traps."""
        cpu, code = self.cpu, self.code
        item = self.later(_BOUNDS, 0)
        ra = self.use(code[at + 1])
        rk = self.constant(code[at + 2] | code[at + 3] << 16)
        rd = self.define(code[at + 4], ra)
        self.site(item, cpu.add_carry(rd, ra, rk))

    # arithmetic

    def binary(self, op, at):
        """i32 arithmetic and comparison."""
        code = self.code
        kind = op & 0x1F
        k = (code[at + 2] ^ 0x8000) - 0x8000 if op & 0x20 else None  # signed
        if kind < 11:
            self.compute(kind, code[at + 1], code[at + 2], k, code[at + 3])
        elif kind < 16:
            if not self.divide(kind - 11, at, k):
                self.rest(op, at)
        else:
            ra, rb, k = self.operands(code[at + 1], code[at + 2], k, self.use)
            rd = self.define(code[at + 3], ra, rb)
            if k is None:
                self.cpu.set_if(kind - 16, rd, ra, rb)
            else:
                self.cpu.set_if_k(kind - 16, rd, ra, k)

    def divide(self, kind, at, k):
        """i32 division by the CPU's own; a divisor of 0, or -1 where it must not be, goes to Python. False where the CPU has none."""
        cpu, code = self.cpu, self.code
        if not cpu.DIVIDES or k == 0 or k == -1:
            return False
        item = None if k else self.later(_OP, self.told(at))
        ra = self.use(code[at + 1])
        rb = self.constant(k) if k else self.use(code[at + 2])
        rd = self.define(code[at + 3], ra, rb)
        if item:
            item.saves = ((ra, code[at + 1]), (rb, code[at + 2]))
            item.loads = rd, code[at + 3]
            self.site(item, cpu.compare_k(0, rb, 0))
            if cpu.DIVIDES[kind]:
                self.site(item, cpu.compare_k(0, rb, -1))
        cpu.divide(kind, rd, ra, rb)
        if item:
            item.back = cpu.here
        return True

    def any(self, word):
        """A register that holds `word`, perhaps the high one that it is pinned to."""
        if word in self.pins and word not in self.homes and word not in self.held:
            return self.pins[word]
        return self.use(word)

    def operands(self, a, b, k, use):
        """Registers of two operands of a comparison; of the second one perhaps -1 and the constant instead. Where both are registers, those that
        `use` gives."""
        if k is None and self.lazy:
            k = self.lazy.get(b)
        ra = self.use(a) if k is not None else use(a)
        if k is not None:
            k = k if -32768 <= k < 32768 else (k & 0xFFFFFFFF) - ((k & 0x80000000) << 1)
            if self.cpu.compares(k):
                self.lazy.pop(b, 0)
                return ra, _NOTHING, k
            return ra, self.constant(k) if b not in self.lazy else self.use(b), None
        return ra, use(b), None

    def compare_branch(self, op, at):
        """Compare and branch."""
        code = self.code
        k = (code[at + 2] ^ 0x8000) - 0x8000 if op & 8 else None
        ra, rb, k = self.operands(code[at + 1], code[at + 2], k, self.any)
        self.flush()
        if k is None:
            condition = self.cpu.compare(op & 7, ra, rb)
        else:
            condition = self.cpu.compare_k(op & 7, ra, k)
        self.branch(condition, code[at + 3])

    # memory

    def access(self, op, at):
        """A load or store, aligned and within the window; else cold code tells Python the op, the offset and the registers.

        `size` tells the template how many low bits of the address have to be looked at. All registers are chosen before the first check, since cold
        code goes on behind the access.
        """
        code = self.code
        wide = op & 7 == (5 if op < 0x58 else 3)
        store = op > 0x57
        offset = code[at + (3 if store else 2)]
        if self.lazy and self.lazy.get(code[at + 1], self.known) + offset < self.known and self.access_known(op, at, offset, wide):
            return
        word, size = code[at + 1], _SIZES[op - 0x50]
        zeros = trailing(self.lazy[word]) if word in self.lazy else self.facts.zeros[word]
        proved = zeros >= size and not offset & (1 << size) - 1
        self.size = 0 if proved else size
        item = None if self.passes(word, offset + (1 << size) + 4 * wide, proved) else self.later(_ACCESS, offset)
        ra = self.use(word)
        needs = offset or self.size or wide or self.cpu.based  # a register to reckon in
        if store:
            low = self.use(code[at + 2])
            high = self.use(code[at + 2] + 1) if wide else 0
            free = self.grab() if needs else ra
        else:
            low = free = self.define(code[at + 3], ra)
            high = 0
            if wide:
                high = free = self.define(code[at + 3] + 1)
            elif free == ra and needs:
                free = self.grab()
        self.cpu.access(op, (low, high, ra, free), offset, item, self)
        if item:
            saved = self.cpu.saved
            item.told |= (saved(ra) | saved(low) << 4 | saved(high) << 8 | op - 0x50 << 12) << 16
            item.back = self.cpu.here

    def passes(self, word, end, proved):
        """Whether an access behind the address in the local `word` that ends `end` bytes from it needs no check, since one that ends no
        earlier was made in this block; the attachment sees to it that memory begins at 0 then. Keeps the end for those that follow."""
        if not self.rooted or word >= self.temps:
            return False
        if proved and self.passed.get(word, 0) >= end:
            self.fixed = max(self.fixed, 1)
            return True
        self.passed[word] = max(self.passed.get(word, 0), end)
        return False

    def changed(self, at):
        """The locals that the op at `at` writes are other addresses from now on."""
        for word in words_written(self.code, at):
            self.passed.pop(word, 0)

    def access_known(self, op, at, offset, wide):
        """A load or store at a constant address that is known to be committed; false where it is not that, or the CPU has no way for it."""
        code, cpu = self.code, self.cpu
        address = self.lazy[code[at + 1]] + offset
        size = 1 << _SIZES[op - 0x50]
        if address < offset or address & size - 1 or address + size + 4 * wide > self.known or address + 4 * wide > cpu.FIXED:
            return False
        self.lazy.pop(code[at + 1])
        self.fixed = max(self.fixed, address + size + 4 * wide)
        for i in range(1 + wide):
            low = self.use(code[at + 2] + i) if op > 0x57 else self.define(code[at + 3] + i)
            cpu.access_known(op, low, address + 4 * i, self)
            self.locked = 0
        return True

    # arithmetic of words

    def compute(self, kind, a, b, k, word):
        """word = a op b, or a op k where k is a constant and not None."""
        cpu = self.cpu
        if k is None and self.lazy:
            if b in self.lazy:
                k = self.lazy.pop(b)
                k = (k & 0xFFFFFFFF) - ((k & 0x80000000) << 1)
            elif kind == 1 and self.lazy.get(a) == 0:
                self.lazy.pop(a)
                rb = self.use(b)
                cpu.negate(self.define(word, rb), rb)
                self.locked = 0
                return
        if k is None:
            ra, rb = self.use(a), self.use(b)
            if kind > 5 and cpu.COUNTS:
                count = self.over(rb)
                cpu.count(kind, count, rb)
                cpu.binary(kind, self.define(word, ra), ra, count)
            else:
                cpu.binary(kind, self.define(word, ra, rb), ra, rb)
            self.locked = 0
        elif kind < 2 and word >= self.temps > a and a in self.pins and word not in self.pins:
            self.drop(word)
            self.sums[word] = a, -k if kind else k
        elif kind > 8:
            self.compute_k(10, a, (-k if kind == 9 else k) & 31, word)
        else:
            self.compute_k(kind, a, k, word)

    def compute_k(self, kind, a, k, word):
        """word = a op k."""
        cpu = self.cpu
        ra = self.use(a)
        if cpu.takes(kind, k):
            cpu.binary_k(kind, self.define(word, ra), ra, k)
        else:
            rb = self.constant(k)
            cpu.binary(kind, self.define(word, ra), ra, rb)
        self.locked = 0

    # sums of a pinned word and a constant, mostly addresses, are made where they are used: so they need no register until then

    def settle(self, at):
        """Make the sums that the op at `at` reads, and those whose word it changes; all of them before one that may end the block."""
        code = self.code
        op = code[at]
        if op < 0x40 and 10 < op & 0x1F < 15 or 0x3F < op < 0x50 or op > 0x6C:
            self.settle_all()
            return
        read, written = words_read(code, at), words_written(code, at)
        for word in sorted(self.sums):
            if word in read or self.sums[word][0] in written:
                self.make_sum(word)
            elif word in written:
                self.sums.pop(word)

    def settle_all(self):
        """Make all sums."""
        for word in sorted(self.sums):
            self.make_sum(word)

    def make_sum(self, word):
        """Make the sum that `word` is."""
        a, k = self.sums.pop(word)
        self.compute_k(0, a, k, word)
