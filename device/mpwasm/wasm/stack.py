"""The operand and control stacks of one function body: the spec's validation algorithm (spec appendix A.3) and, beside
each operand's type, where its value is: in its own slot, still in a local's slot, or a constant not yet in any.

Every operand has a *home*: the frame word right above the operand below it. A value that a slot op computed is at
its home; `local.get` pushes only the local's slot and `i32.const` only the value, and a copy is made where one is
needed. Values are in their homes wherever control flow meets.
"""

from mpwasm.compat import const
from mpwasm.errors import Invalid
from mpwasm.wasm.module import width

_MISMATCH = const(40)
_UNKNOWN_LABEL = const(47)
_TOO_MANY = const(72)
_TOO_DEEP = const(73)
_MAX_FRAME = const(4096)
_MAX_DEPTH = const(200)
_HOME = const(-2)


class Label:
    """One entry of the control stack: a block, loop, if or the function's body.

    `ins` and `outs` are its parameter and result types, `height` the operands below it, `base` the home of its first
    operand, `start` the unit a loop's branches go to, `fix` the last forward branch to its end (branches are chained
    through their target units), `other` the branch of an `if` to its else part, `dead` whether it began unreachable.
    """

    def __init__(self, opcode, ins, outs, height, base, dead):
        self.opcode = opcode
        self.ins = ins
        self.outs = outs
        self.height = height
        self.base = base
        self.start = 0
        self.fix = 0
        self.other = 0
        self.dead = dead
        self.polymorphic = False


class Stack:
    """Operands as parallel lists (`types`, `locs`, `vals`, `homes`) and `labels`.

    After `pop` the value popped is described by `loc` (its slot, or -1 for a constant), `val` (the constant) and
    `top` (its home, free from now on). `dead` is true while no code is reachable, so none is made.
    """

    def __init__(self, reader):
        self.reader = reader
        self.function = -1
        self.reset(0)

    def reset(self, base):
        """Begin a function whose temporaries start at frame word `base`."""
        self.types = []
        self.locs = []
        self.vals = []
        self.homes = []
        self.labels = []
        self.top = base
        self.frame = base
        self.loc = 0
        self.val = 0
        self.dead = False

    def fail(self, code, detail=None):
        """Raise `Invalid` with `code` at the reader's offset."""
        raise Invalid(code, detail, self.reader.pos, self.function)

    def push(self, valtype, loc=_HOME, val=0):
        """Push an operand: at its home by default, else in slot `loc`, or the constant `val` where `loc` is -1."""
        home = self.top
        self.types.append(valtype)
        self.homes.append(home)
        self.locs.append(home if loc == _HOME else loc)
        self.vals.append(val)
        self.top = home + width(valtype)
        if self.top > self.frame:
            self.grow_frame(self.top)

    def grow_frame(self, size):
        """The frame needs `size` words."""
        if size > _MAX_FRAME:
            self.fail(_TOO_MANY)
        self.frame = size

    def push_all(self, types):
        """Push `types` in order, each at its home."""
        for t in types:
            self.push(t)

    def pop(self, want=0):
        """Pop an operand of type `want` (0: any) and return its type, 0 where unreachable code leaves it open."""
        label = self.labels[-1]
        if len(self.types) == label.height:
            if not label.polymorphic:
                self.fail(_MISMATCH)
            self.loc = self.top
            return want
        found = self.types.pop()
        self.loc = self.locs.pop()
        self.val = self.vals.pop()
        self.top = self.homes.pop()
        if found != want and found and want:
            self.fail(_MISMATCH)
        return found or want

    def pop_all(self, types):
        """Pop `types`, the last one first."""
        for i in range(len(types) - 1, -1, -1):
            self.pop(types[i])

    def check_top(self, types):
        """The operands on top must be `types`; they stay."""
        if len(self.types) - len(types) < self.labels[-1].height:
            self.pop_all(types)
            self.push_all(types)
            return
        self.check_known(types)
        for i in range(len(types)):
            self.types[len(self.types) - len(types) + i] = types[i]

    def check_known(self, types):
        """The operands on top must be `types` as far as they are known; what unreachable code left open stays open."""
        label = self.labels[-1]
        first = len(self.types) - len(types)
        if first < label.height and not label.polymorphic:
            self.fail(_MISMATCH)
        for i in range(max(0, label.height - first), len(types)):
            found = self.types[first + i]
            if found != types[i] and found:
                self.fail(_MISMATCH)

    def enter(self, opcode, ins, outs):
        """Open a label; its parameters, already popped, are pushed again at their homes."""
        if len(self.labels) >= _MAX_DEPTH:
            self.fail(_TOO_DEEP)
        label = Label(opcode, ins, outs, len(self.types), self.top, self.dead)
        self.labels.append(label)
        self.push_all(ins)
        return label

    def check_end(self, label):
        """At the end of `label` its results must be there and nothing else."""
        self.check_top(label.outs)
        if len(self.types) != label.height + len(label.outs):
            self.fail(_MISMATCH)

    def cut(self, label):
        """Drop all operands of `label`."""
        while len(self.types) > label.height:
            self.types.pop()
            self.locs.pop()
            self.vals.pop()
            self.homes.pop()
        self.top = label.base

    def label(self, depth):
        """The label that `depth` names, counted from the innermost (spec 3.3.8)."""
        if depth >= len(self.labels):
            self.fail(_UNKNOWN_LABEL)
        return self.labels[len(self.labels) - 1 - depth]

    def unreachable(self):
        """What follows is unreachable: the stack becomes polymorphic and no code is made."""
        label = self.labels[-1]
        self.cut(label)
        label.polymorphic = True
        self.dead = True
