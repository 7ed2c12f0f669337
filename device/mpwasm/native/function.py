"""Walks the slot code of one function: labels, branches and what they need, cold code and the islands where it lies.

All that is the same for every CPU is in this class and those on top of it (`control`, `pairs`, `lowering`); `cpu` makes the instructions.
"""

from array import array

from mpwasm.compat import const
from mpwasm.native.facts import Facts
from mpwasm.native.regions import Plan
from mpwasm.native.registers import Registers
from mpwasm.native.scan import length

_NOTHING = const(-1)
_ALWAYS = const(-1)
_SLICE = const(8)
_FAR = const(1 << 29)
_POLL = const(1)
_STACK = const(7)
_MANY = const(26)  # locals that are zeroed by a loop
_SPARE = const(8)  # words behind the frame for the arguments of a library call


class OutOfReach(Exception):
    """A branch that was made short does not reach its target; `site` is where it began, counted from the function's start."""

    def __init__(self, site):
        super().__init__(site)
        self.site = site


class Cold:
    """Code to be laid down later: the branches to it (`sites`), and either why it exits (`reason`, `told`) and where it goes on (`back`),
    or where words are pinned before and after the passage to the label `unit`. `saves` are registers with the words of the frame that they go to
    before the exit, `loads` one with the word that it takes after it."""

    def __init__(self, reason, told):
        self.sites = []
        self.reason = reason
        self.told = told
        self.back = self.unit = _NOTHING
        self.before = self.after = self.loads = None
        self.saves = ()


class Function(Registers):
    """Compiles the functions of `module` one after the other; calls are left in `calls` as (offset, number): the function's index plus `numbers`,
    which tells the library's functions from the module's. `left` gathers the ops that Python executes, unit by unit; `rare` tells whether
    there are others than calls."""

    def __init__(self, cpu, module, library):
        Registers.__init__(self, cpu)
        self.module = module
        self.numbers = 0
        self.library = library
        self.left = array("H")
        self.rare = False
        self.calls = []

    def compile(self, body, far):
        """One function, a row of `module.codes`: a generator that yields every few ops. Raises `OutOfReach`;
        `far` says how much longer branches are to be made, by the places where they begin.
        """
        code, self.params, others, self.frame = body
        cpu = self.cpu
        self.code = code
        self.far = far
        self.temps = self.params + 2 + others
        self.plan = Plan(code, self.temps, cpu)
        if not self.numbers and calls_own(code, self.module.imported):
            self.plan.marks[0] |= 3  # a poll, as at the head of a loop: recursion is bounded in depth, not in time
        self.written = self.plan.written
        self.facts = Facts(code, self.plan.marks, self.params, self.temps, self.frame)
        self.start = cpu.here
        self.cold = []
        self.oldest = _FAR
        self.places = {}
        self.branches = []
        self.entries = []
        self.locked = 0  # an attempt before may have ended within an op
        cpu.carry = False
        self.forget()
        self.pin(self.plan.regions[0].pins)
        self.written.update(range(self.params + 2, self.temps))
        self.prologue()
        at = ops = 0
        self.ended = False
        self.skip = 0
        while at < len(code):
            if self.plan.marks[at]:
                self.arrive(at)
            self.ended = False
            if self.cold or cpu.pool:
                self.islands(False)
            self.one(at)
            self.locked = 0
            self.facts.step(at)
            at += length(code, at) + self.skip
            self.skip = 0
            ops += 1
            if not ops % _SLICE:
                yield
        self.islands(True, True)
        for key, site, unit in self.branches:
            self.close(key, site, self.places[unit])
        for first, i, unit in self.entries:
            cpu.table_entry(first, i, self.places[unit])

    def prologue(self):
        """Check the frame, keep the return address, clear the locals, load the parameters that have registers."""
        cpu = self.cpu
        item = self.later(_STACK, 0)
        cpu.check_frame(self.frame + _SPARE, item, self)
        item.back = cpu.here
        cpu.keep_return(self.params)
        if self.temps - self.params > _MANY:
            cpu.clear(self.params + 2, self.temps)
        self.zero_locals(self.temps - self.params <= _MANY)
        for word in sorted(self.pins):
            if word < self.params:
                self.restore(word, self.pins[word])
        self.forget()

    def zero_locals(self, in_frame):
        """Zero the locals that live in registers, and if `in_frame` those that live in the frame."""
        cpu = self.cpu
        for word in range(self.params + 2, self.temps):
            r = self.home(word)
            if r >= 0:
                cpu.constant(r, 0)
            elif in_frame or word in self.pins:
                zero = self.constant(0)
                self.release()
                if word in self.pins:
                    cpu.move(self.pins[word], zero)
                else:
                    cpu.store(zero, word)

    def arrive(self, at):
        """Before the op at `at`: a label, or the border of a region, where the cache must be empty."""
        mark = self.plan.marks[at]
        pins = self.plan.at(at).pins
        if not self.ended:
            self.flush()
            self.passage(self.pins, pins)
        self.forget()
        self.pin(pins)
        if mark & 3:
            self.facts.arrive(at)
        self.places[at] = self.cpu.here
        if mark & 2:
            item = self.later(_POLL, 0)
            self.site(item, self.cpu.count_fuel())
            item.back = self.cpu.here

    def told(self, at):
        """What an exit tells of the op at `at` that is left to Python: where its units begin in `left`."""
        number = len(self.left)
        if self.code[at] != 0x72 and self.code[at] != 0x73:
            self.rare = True
        for unit in range(at, at + length(self.code, at)):
            self.left.append(self.code[unit])
        return number

    # branches

    def later(self, reason, told):
        """A new piece of cold code that exits."""
        item = Cold(reason, told)
        self.cold.append(item)
        return item

    def site(self, item, condition):
        """One more conditional branch to the cold code `item`."""
        key = self.cpu.here
        if self.oldest == _FAR:
            self.oldest = key
        item.sites.append((key, self.hop(condition, self.cpu.COLD_LEVEL)))

    def hop(self, condition, level=0):
        """Make a branch whose target comes later, conditional unless `condition` is -1; returns where it is to be patched."""
        cpu = self.cpu
        return cpu.branch(condition, self.far.get(cpu.here - self.start, level))

    def branch(self, condition, unit):
        """A branch to the label `unit`. The cache must be flushed."""
        after = self.plan.at(unit).pins
        if after is not self.pins and self.differ(self.pins, after):
            if condition != _ALWAYS:
                item = self.later(_NOTHING, 0)
                item.before, item.after, item.unit = self.pins, after, unit
                self.site(item, condition)
                return
            self.passage(self.pins, after)
        self.to_label(condition, unit)

    def to_label(self, condition, unit):
        """A branch to the label `unit` as it is; backward ones are resolved at once."""
        key = self.cpu.here
        site = self.hop(condition)
        if unit in self.places:
            self.close(key, site, self.places[unit])
        else:
            self.branches.append((key, site, unit))

    def close(self, key, site, target):
        """Resolve the branch at `site`; `key` is where its making began."""
        if not self.cpu.patch_branch(site, target):
            raise OutOfReach(key - self.start)

    # cold code

    def islands(self, ended, force=False):
        """Lay cold code and constants down here when they are due, or where the hot code has `ended` (a jump lies before)."""
        cpu = self.cpu
        due = self.cold and (ended or cpu.here - self.oldest + cpu.COLD * len(self.cold) > cpu.REACH)
        if not due and not (cpu.pool and cpu.pool_due()) and not (force and (self.cold or cpu.pool)):
            return
        over = _NOTHING if ended else cpu.branch(_ALWAYS, 0)
        for item in self.cold:
            self.lay(item)
        self.cold = []
        self.oldest = _FAR
        if cpu.pool:
            cpu.lay_pool()
        if not ended:
            cpu.patch_branch(over, cpu.here)

    def lay(self, item):
        """One piece of cold code."""
        cpu = self.cpu
        for key, site in item.sites:
            self.close(key, site, cpu.here)
        if item.before is not None:
            self.passage(item.before, item.after)
            self.to_label(_ALWAYS, item.unit)
            return
        for r, word in item.saves:
            cpu.store(r, word)
        cpu.exit(item.reason, item.told)
        if item.loads:
            cpu.load(item.loads[0], item.loads[1])
        at = cpu.here
        self.close(at, self.hop(_ALWAYS), item.back)


def calls_own(code, imported):
    """Whether the slot code calls functions that are, or may be, machine code."""
    at = 0
    while at < len(code):
        if code[at] == 0x73 or (code[at] == 0x72 and code[at + 1] >= imported):
            return True
        at += length(code, at)
    return False
