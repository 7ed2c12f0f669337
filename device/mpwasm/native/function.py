"""Walks the slot code of one function: labels, branches and what they need, cold code and the islands where it lies.

All that is the same for every CPU is in this class and those on top of it (`control`, `pairs`, `lowering`); `cpu` makes the instructions.
"""

from array import array

from mpwasm.compat import const
from mpwasm.native.facts import Facts
from mpwasm.native.regions import Plan
from mpwasm.native.registers import Registers
from mpwasm.native.scan import LENGTH, length

_NOTHING = const(-1)
_ALWAYS = const(-1)
_SLICE = const(8)
_SLICE_UNITS = const(30)  # of the code, about, in a slice
_FAR = const(1 << 29)
_POLL = const(1)
_ACCESS = const(3)
_STACK = const(7)
_MANY = const(26)  # locals that are zeroed by a loop
_SPARE = const(8)  # words behind the frame for the arguments of a library call


class OutOfReach(Exception):
    """Branches that were made short do not reach their targets; what was found out about them is kept for the next attempt."""


class Cold:
    """Code to be laid down later: the branches to it (`sites`), and either why it exits (`reason`, `told`) and where it goes on (`back`, if it does),
    or where words are pinned before and after the passage to the label `unit`, by the branch `number`. `saves` are registers with the words of
    the frame that they go to before the exit, `loads` one with the word that it takes after it."""

    before = after = loads = back = None  # what most have not is the class's: an object's dictionary grows with each attribute
    saves = ()

    def __init__(self, reason, told):
        self.sites = []
        self.reason = reason
        self.told = told


class Function(Registers):
    """Compiles the functions of `module` one after the other; calls are left in `calls` as (offset, number): the function's index plus `numbers`,
    which tells the library's functions from the module's. `left` gathers the ops that Python executes, unit by unit; `rare` tells whether
    there are others than calls. Constant addresses below `known` need no check; `fixed` is the end of those that had none.
    `rooted`: the window may be made to begin at 0; `passed` maps locals to the end of what was accessed behind them in the block under way."""

    def __init__(self, cpu, module, library):
        Registers.__init__(self, cpu)
        self.module = module
        self.numbers = 0
        self.library = library
        self.left = array("H")
        self.rare = False
        self.known = self.fixed = 0
        self.rooted = False
        self.calls = []

    def study(self, body):
        """Begin a function, a row of `module.codes`: what is to be known of it before it is compiled. A generator that yields now and then."""
        self.code, self.params, others, self.frame = body
        self.far = {}  # how much longer branches are to be made than they were at first, by their numbers
        self.temps = self.params + 2 + others
        self.plan = Plan(self.code, self.params, self.temps, self.cpu)
        yield from self.plan.made(self.frame)
        if not self.numbers and self.plan.calls > self.module.imported:
            self.plan.marks[0] |= 3  # a poll, as at the head of a loop: recursion is bounded in depth, not in time
        self.written = self.plan.written
        self.facts = Facts(self.code, self.plan, self.params, self.frame)
        if self.plan.aligns:
            yield from self.facts.settle(self.plan.regions)

    def compile(self):
        """The function that was studied: a generator that yields every few ops. Raises `OutOfReach`."""
        code, cpu = self.code, self.cpu
        self.facts.begin()
        self.number = 0
        self.short = False
        self.cold = []
        self.oldest = 0
        self.limit = _FAR
        self.places = {}
        self.branches = []
        self.entries = []
        self.locked = 0  # an attempt before may have ended within an op
        cpu.carry = False
        self.forget()
        self.sums.clear()
        self.passed = {}
        self.pin(self.plan.regions[0].pins)
        self.written.update(range(self.params + 2, self.temps))
        self.prologue()
        at = ops = 0
        self.ended = False
        self.skip = 0
        marks, step, lengths, end = self.plan.marks, self.facts.step, LENGTH, len(code)
        while at < end:
            if marks[at]:
                self.arrive(at)
            self.ended = False
            if cpu.here > self.limit or cpu.here > cpu.due:
                self.islands(False)
            self.unit = at
            if self.sums:
                self.settle(at)
            self.one(at)
            self.locked = 0
            if self.passed:
                self.changed(at)
            if step:
                step(at)
            at += lengths[code[at]] or length(code, at)
            if self.skip:
                at += self.skip
                self.skip = 0
            ops += 1
            if not ops % _SLICE:
                yield _SLICE_UNITS
        self.islands(True)
        for number, site, unit in self.branches:
            self.close(number, site, self.places[unit])
        for first, i, unit in self.entries:
            cpu.table_entry(first, i, self.places[unit])
        if self.short:
            raise OutOfReach

    def prologue(self):
        """Check the frame, keep the return address, clear the locals, load the parameters that have registers."""
        cpu = self.cpu
        cpu.check_frame(self.frame + _SPARE, self.later(_STACK, 0), self)
        cpu.keep_return(self.params)
        many = len(self.plan.zeroed) > _MANY
        if many:
            cpu.clear(self.params + 2, self.temps)
        self.zero_locals(not many)
        for word in self.pins:
            if word < self.params:
                self.restore(word, self.pins[word])
        self.forget()

    def zero_locals(self, in_frame):
        """Of the locals that may be read first, zero those that live in registers, and if `in_frame` those that live in the frame."""
        cpu = self.cpu
        for word in sorted(self.plan.zeroed):
            if word in self.homes:
                cpu.constant(self.homes[word], 0)
            elif in_frame or word in self.pins:
                zero = self.constant(0)
                self.locked = 0
                if word in self.pins:
                    cpu.move(self.pins[word], zero)
                else:
                    cpu.store(zero, word)

    def arrive(self, at):
        """Before the op at `at`: a label, or the border of a region, where the cache must be empty."""
        mark = self.plan.marks[at]
        pins = self.plan.at(at).pins
        if not self.ended:
            self.settle_all()
            self.flush()
            if pins is not self.pins:
                self.passage(self.pins, pins)
        self.forget()
        self.passed.clear()
        if pins is not self.pins:
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

    # branches; those whose target comes later have a number, the same in each attempt

    def later(self, reason, told):
        """A new piece of cold code that exits."""
        item = Cold(reason, told)
        self.cold.append(item)
        return item

    def site(self, item, condition):
        """One more conditional branch to the cold code `item`."""
        cpu = self.cpu
        if not self.oldest:
            self.oldest = cpu.here
        self.limit = self.oldest + cpu.REACH - cpu.COLD * len(self.cold)
        self.number += 1
        item.sites.append((self.number, self.hop(condition, self.number, cpu.COLD_LEVEL)))

    def hop(self, condition, number, level):
        """Make a branch whose target comes later, conditional unless `condition` is -1; returns where it is to be patched."""
        return self.cpu.branch(condition, level + self.far.get(number, 0) if self.far else level)

    def hop_back(self, condition, target):
        """Make a branch to the offset `target`, as long as it has to be."""
        cpu = self.cpu
        at, level = cpu.here, 0
        while not cpu.patch_branch(cpu.branch(condition, level), target):
            cpu.cut(at)
            level += 1

    def branch(self, condition, unit):
        """A branch to the label `unit`. The cache must be flushed."""
        after = self.plan.at(unit).pins
        self.number += 1
        if after is not self.pins and self.differ(self.pins, after):
            if condition != _ALWAYS:
                item = self.later(_NOTHING, 0)
                item.before, item.after, item.unit, item.number = self.pins, after, unit, self.number
                self.site(item, condition)
                return
            self.passage(self.pins, after)
        self.to_label(condition, unit, self.number)

    def to_label(self, condition, unit, number):
        """A branch to the label `unit` as it is; backward ones are resolved at once."""
        if unit in self.places:
            self.hop_back(condition, self.places[unit])
        else:
            far = condition != _ALWAYS and unit - self.unit > self.cpu.NEAR
            self.branches.append((number, self.hop(condition, number, 1 if far else 0), unit))

    def close(self, number, site, target):
        """Resolve the branch at `site`; where it does not reach it will be longer the next time."""
        if not self.cpu.patch_branch(site, target):
            self.short = True
            self.far[number] = self.far.get(number, 0) + 1

    # cold code

    def islands(self, ended):
        """Lay cold code and constants down here, if there are some; or where the hot code has `ended` (a jump lies before)."""
        cpu = self.cpu
        if not self.cold and not cpu.pool:
            return
        over = _NOTHING if ended else cpu.branch(_ALWAYS, 0)
        for item in self.cold:
            self.lay(item)
        self.cold = []
        self.oldest = 0
        self.limit = _FAR
        if cpu.pool:
            cpu.lay_pool()
        if not ended:
            cpu.patch_branch(over, cpu.here)

    def lay(self, item):
        """One piece of cold code."""
        cpu = self.cpu
        for number, site in item.sites:
            self.close(number, site, cpu.here)
        if item.before is not None:
            self.passage(item.before, item.after)
            self.to_label(_ALWAYS, item.unit, item.number)
            return
        for r, word in item.saves:
            cpu.store(r, word)
        if item.reason == _ACCESS and cpu.exit_back(item.told, item.back):
            return
        cpu.exit(item.reason, item.told)
        if item.loads:
            cpu.load(item.loads[0], item.loads[1])
        if item.back is not None:
            self.hop_back(_ALWAYS, item.back)
