"""What the Thumb templates stand on: where slots live, labels and branches, cold code and its islands.

Registers: r0 the accumulator (the newest result), r1, r2 scratch, r4 the frame, r5 fuel, r6 the first byte of the memory window,
r7, r3, r8 the function's hottest slots, r9 the window's length, r10 the record, r11 the frame limit. A caller keeps
its homes in its own frame; a result comes back in r0. Cold code lies in islands behind the hot.
"""

from array import array

from mpwasm.compat import const
from mpwasm.native.scan import Scan, length, sources
from mpwasm.native.thumb import OutOfReach

_FP = const(4)
_FUEL = const(5)
_HOMES = b"\x07\x03\x08"
_NOTHING = const(-1)
_ISLAND = const(210)
_MANY = const(24)  # locals that a loop zeroes
_CMP = const(10)
_EQ = const(0)
_NE = const(1)
_HI = const(8)
_POLL = const(1)
_STACK = const(7)
_SLICE = const(8)


class Cold:
    """Code to be laid down later: the branches to it (`sites`), what it exits for (`reason`, `unit`: see `Frame.told`), where it goes on (`back`).

    For an access `a` holds the address, `b` the value of a store, `rd` takes the result of a load.
    """

    def __init__(self, reason, unit):
        self.sites = []
        self.reason = reason
        self.unit = unit
        self.back = self.a = self.b = self.rd = _NOTHING


class Frame:
    """Compiles functions one after the other into `asm`. `exits` gives the entry of each exit by its reason; functions below `imported` are not ours;
    `results(function)` and `indirect(type)` tell the words of a call's result. `left` gathers the ops that Python
    executes, unit by unit; `rare` tells whether there are others than calls."""

    def __init__(self, asm, exits, imported, results, indirect):
        self.asm = asm
        self.exits = exits
        self.imported = imported
        self.results = results
        self.indirect = indirect
        self.left = array("H")
        self.rare = False

    def compile(self, code, params, others, frame, call_words, far):
        """One function: slot code, words of parameters and other locals, frame words; a generator that yields every few ops.

        Raises `OutOfReach`.
        """
        asm = self.asm
        scan = Scan(code, len(_HOMES), call_words)
        self.code = code
        self.far = far
        self.home = {slot: _HOMES[i] for i, slot in enumerate(scan.homes)}
        self.temps = params + 2 + others
        self.params = params
        self.frame = frame
        self.acc = _NOTHING
        self.cold = []
        self.oldest = 1 << 29
        self.start = asm.here
        self.scan = scan
        self.places = {}
        self.branches = []
        self.entries = []
        self.prologue(params, others, frame)
        at = ops = 0
        while at < len(code):
            if scan.marks[at]:
                self.label(at, scan.marks[at])
            self.islands(False)
            self.one(at)
            at += length(code, at)
            ops += 1
            if not ops % _SLICE:
                yield
        self.islands(True)
        asm.lay_pool(False)
        for key, site, condition, unit in self.branches:
            self.close(key, site, condition, self.places[unit])
        for at, base, unit in self.entries:
            self.entry(at, base, self.places[unit])

    def told(self, at):
        """What an exit tells of the op at `at` that is left to Python: where its units begin in `left`."""
        number = len(self.left)
        if self.code[at] != 0x72 and self.code[at] != 0x73:
            self.rare = True
        for unit in range(at, at + length(self.code, at)):
            self.left.append(self.code[unit])
        return number

    def word(self, number, rt, slot):
        """LDR (4) or STR (0) of frame slot `slot`."""
        asm = self.asm
        if slot < 32:
            (asm.ldr5 if number else asm.str5)(rt, _FP, 4 * slot)
        else:
            other = 2 if rt != 2 else 1
            asm.constant(other, 4 * slot)
            asm.memory(number, rt, _FP, other)

    def use(self, slot, scratch):
        """A low register that holds `slot`: where it lives, or `scratch`, loaded."""
        if slot == self.acc:
            return 0
        home = self.home.get(slot, _NOTHING)
        if home == _NOTHING:
            if scratch == 0:
                self.acc = _NOTHING
            self.word(4, scratch, slot)
            return scratch
        if home > 7:
            if scratch == 0:
                self.acc = _NOTHING
            self.asm.mov(scratch, home)
            return scratch
        return home

    def target(self, slot):
        """The register to compute `slot` in."""
        home = self.home.get(slot, 0)
        return home if home < 8 else 0

    def done(self, slot, at):
        """`slot` was computed in its `target`: keep it where it belongs, unless the next op is its only reader."""
        home = self.home.get(slot, _NOTHING)
        if home != _NOTHING and home < 8:
            if self.acc == slot:
                self.acc = _NOTHING
            return
        self.acc = slot
        if home != _NOTHING:
            self.asm.mov(home, 0)
        elif not self.read_next(slot, at):
            self.word(0, 0, slot)

    def read_next(self, slot, at):
        """Whether the temporary `slot`, made at `at`, is read by the next op and so dead after it."""
        code = self.code
        after = at + length(code, at)
        if slot < self.temps or after >= len(code) or self.marks_at(after):
            return False
        return any(code[unit] == slot for unit in sources(code, after))

    def marks_at(self, at):
        """Whether a branch goes to unit `at`."""
        return self.scan.marks[at]

    def made(self, rd, slot, at):
        """`slot` was computed in `rd`, its target."""
        if rd == 0 or self.acc == slot:
            self.acc = _NOTHING
        if rd == 0:
            self.done(slot, at)

    def prologue(self, params, others, frame):
        """Check the frame, keep the return address, clear the locals, load the parameters that have homes."""
        asm = self.asm
        size = frame
        if size <= 64:
            asm.cmp_high(_FP, 11)
        else:
            asm.constant(1, 4 * (size - 64))
            asm.add(1, 1, _FP)
            asm.cmp_high(1, 11)
        self.later(_HI, _STACK, 0)
        asm.mov(1, 14)
        self.word(0, 1, params)
        self.zero(params + 2, params + 2 + others)
        for slot in self.home:
            if slot < params:
                home = self.home[slot]
                self.word(4, home if home < 8 else 1, slot)
                if home > 7:
                    asm.mov(home, 1)

    def zero(self, first, end):
        """Zero the locals in slots `first` up to `end`: one by one, or, where they are many, those in the frame by a loop."""
        asm = self.asm
        if end > first:
            asm.mov8(0, 0)
        many = end - first > _MANY
        if many:
            asm.constant(1, 4 * first)
            asm.constant(2, 4 * end)
            loop = asm.here
            asm.memory(0, 0, _FP, 1)
            asm.add8(1, 4)
            asm.op(_CMP, 1, 2)
            asm.put(0)
            asm.patch_bcc(asm.here - 2, _NE, loop)
        for slot in range(first, end):
            home = self.home.get(slot, _NOTHING)
            if home != _NOTHING:
                asm.mov(home, 0)
            elif not many:
                self.word(0, 0, slot)

    def homes(self, number):
        """Around a call: keep what lives in registers in the frame (STR, 0), and take it back (LDR, 4)."""
        for slot in self.home:
            home = self.home[slot]
            if home < 8:
                self.word(number, home, slot)
            elif number:
                self.word(4, 1, slot)
                self.asm.mov(home, 1)
            else:
                self.asm.mov(1, home)
                self.word(0, 1, slot)

    def label(self, at, mark):
        """A branch target; the head of a loop polls."""
        self.acc = _NOTHING
        self.places[at] = self.asm.here
        if mark & 2:
            self.asm.add8(_FUEL, -1)
            self.later(_EQ, _POLL, 0)

    def later(self, condition, reason, unit):
        """A conditional branch to cold code that exits; it comes back behind the branch."""
        item = Cold(reason, unit)
        self.cold.append(item)
        self.site(item, condition)
        item.back = self.asm.here
        return item

    def site(self, item, condition):
        """One more conditional branch to the cold code `item`."""
        key = self.asm.here
        self.oldest = min(self.oldest, key)
        site = self.hop(condition)
        item.sites.append((key, site, condition if site == key else 14))
        self.asm.put(0)

    def hop(self, condition):
        """Where a conditional branch is to be written; one that is known to go far is turned round over a B."""
        asm = self.asm
        site = asm.here
        if site - self.start in self.far:
            asm.put(0xD000 | (condition ^ 1) << 8)
            return site + 2
        return site

    def branch(self, condition, unit):
        """A branch to the label `unit`, conditional unless `condition` is 14; backward ones are resolved at once."""
        key = self.asm.here
        site = key if condition == 14 else self.hop(condition)
        if site != key:
            condition = 14
        self.asm.put(0)
        if unit in self.places:
            self.close(key, site, condition, self.places[unit])
        else:
            self.branches.append((key, site, condition, unit))

    def close(self, key, site, condition, target):
        """Resolve the branch at `site`; `key` is where its making began."""
        asm = self.asm
        ok = asm.patch_b(site, target) if condition == 14 else asm.patch_bcc(site, condition, target)
        if not ok:
            raise OutOfReach(key - self.start)

    def islands(self, ended, force=False):
        """Lay cold code and constants down here when they are due, or where the hot code has `ended` (a jump lies before)."""
        asm = self.asm
        due = self.cold and (ended or asm.here - self.oldest + 16 * len(self.cold) > _ISLAND)
        if not due and not asm.pool_due() and not (force and (self.cold or asm.pool)):
            return
        over = asm.here
        if not ended:
            asm.put(0)
        for item in self.cold:
            self.lay(item)
        self.cold = []
        self.oldest = 1 << 29
        asm.lay_pool(False)
        if not ended:
            asm.patch_b(over, asm.here)

    def lay(self, item):
        """One piece of cold code: exit with its reason, go on behind the branch."""
        asm = self.asm
        for key, site, condition in item.sites:
            self.close(key, site, condition, asm.here)
        if item.a != _NOTHING:
            self.operands(item.a, item.b)
        asm.constant(2, item.unit)
        asm.bl(self.exits[item.reason])
        if item.rd != _NOTHING:
            asm.mov(item.rd, 0)
        at = asm.here
        asm.put(0)
        self.close(at, at, 14, item.back)

    def operands(self, a, b):
        """Bring an access's address from register `a` to r0 and a store's value from `b` to r1, both at once."""
        asm = self.asm
        if b == 0:
            if a == 1:
                asm.mov(2, 0)
                asm.mov(0, 1)
                asm.mov(1, 2)
                return
            asm.mov(1, 0)
        asm.mov(0, a)
        if b > 0:
            asm.mov(1, b)
