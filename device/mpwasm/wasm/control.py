"""Lowers control instructions: blocks, branches, calls (spec 3.3.8, 5.4.1)."""

from mpwasm.compat import const
from mpwasm.wasm.emit import Emitter
from mpwasm.wasm.module import words

_I32 = const(0x7F)
_FUNCREF = const(0x70)
_LOOP = const(0x03)
_IF = const(0x04)
_ELSE = const(0x05)

_ILLEGAL = const(16)
_TYPE = const(12)
_MISMATCH = const(40)
_NO_FUNCTION = const(43)
_NO_TABLE = const(44)
_NO_TYPE = const(46)
_TOO_LARGE = const(71)
_MAX_TARGETS = const(32768)

# slot ops, see slots.OPS
_BR = const(0x70)
_BR_TABLE = const(0x71)
_CALL = const(0x72)
_CALL_INDIRECT = const(0x73)
_UNREACHABLE = const(0x75)


class Control(Emitter):
    """An emitter that knows the control instructions; `module` gives the types."""

    def control(self, op):
        """Opcodes 0x00 to 0x11."""
        if op <= _IF:
            self.structured(op)
        elif op == 0x0B:
            self.end()
        elif op == 0x0C:
            self.br()
        elif op == 0x0D:
            self.br_if()
        elif op == 0x10:
            self.call()
        elif op == _ELSE:
            self.else_()
        elif op == 0x0F:
            self.return_()
        elif op == 0x0E:
            self.br_table()
        elif op == 0x11:
            self.call_indirect()
        else:
            self.reader.fail(_ILLEGAL, op)

    def structured(self, op):
        """unreachable, nop, and the three that open a label."""
        if op > 1:
            self.open(op)
        elif op == 0:
            self.emit(_UNREACHABLE)
            self.unreachable()

    def block_type(self):
        """A block type (spec 5.4.1): (parameter types, result types)."""
        code = self.reader.signed(33)
        if code == -64:
            return b"", b""
        if code < 0:
            self.check_type(code & 0x7F if code >= -64 else 0)
            return b"", bytes((code & 0x7F,))
        if code >= len(self.module.types):
            self.fail(_NO_TYPE)
        return self.module.types[code]

    def check_type(self, valtype):
        """Refuse what is no value type (spec 5.3.1)."""
        if not (0x7C <= valtype <= 0x7F or valtype == 0x70 or valtype == 0x6F):
            self.reader.fail(_TYPE)

    def open(self, op):
        """block, loop, if: values go to their homes first, for both ways in and out must find them alike."""
        ins, outs = self.block_type()
        at = 0
        if op == _IF:
            self.pop(_I32)
            loc, val, home = self.loc, self.val, self.top
            self.prepare(ins)
            at = self.branch_if(loc, val, home, 1)
        else:
            self.prepare(ins)
        self.pop_all(ins)
        label = self.enter(op, ins, outs)
        label.start = self.pos
        if op == _IF and not self.dead:
            label.other = at
            self.code[at] = 0
        self.last = -1

    def prepare(self, ins):
        """Parameters of a block to their homes, and no operand left in a local."""
        self.settle(max(0, len(self.locs) - len(ins)))
        self.spill()

    def else_(self):
        """The end of an `if`'s first part."""
        label = self.labels[-1]
        if label.opcode != _IF:
            self.reader.fail(_ILLEGAL, _ELSE)
        self.check_end(label)
        self.move_results(label, label.outs)
        self.emit(_BR, 0)
        self.link(label, self.pos - 1)
        self.dead = label.dead
        self.land(label.other)
        self.cut(label)
        label.opcode = _ELSE
        label.other = 0
        label.polymorphic = False
        self.push_all(label.ins)

    def end(self):
        """The end of a label: values at their homes, branches to it land here."""
        label = self.labels[-1]
        self.check_end(label)
        if len(self.labels) == 1:
            self.end_function(label)
            return
        self.move_results(label, label.outs)
        if label.opcode == _IF:
            if label.ins != label.outs:
                self.fail(_MISMATCH)
            self.dead = label.dead
        if label.fix and not label.dead:
            self.dead = False
        if label.fix or label.other:
            self.land(label.fix)
            self.land(label.other)
        self.labels.pop()
        self.cut(label)
        self.push_all(label.outs)

    def end_function(self, label):
        """The end of the body: a return, where anything reaches it."""
        if label.fix:
            self.move_results(label, label.outs)
            self.dead = False
            self.land(label.fix)
            self.cut(label)
            self.push_all(label.outs)
        self.ret(label.outs)
        self.labels.pop()

    # branches

    def target(self):
        """A label index: (label, the types that a branch to it takes)."""
        label = self.label(self.reader.u32())
        return label, label.ins if label.opcode == _LOOP else label.outs

    def br(self):
        """br."""
        label, types = self.target()
        self.check_top(types)
        self.jump(label)
        self.unreachable()

    def return_(self):
        """return."""
        types = self.labels[0].outs
        self.check_top(types)
        self.ret(types)
        self.unreachable()

    def br_if(self):
        """br_if: one branch where the values are in place already, else a branch around the copies."""
        label, types = self.target()
        self.pop(_I32)
        loc, val, home = self.loc, self.val, self.top
        self.check_top(types)
        if self.in_place(label, types):
            self.link(label, self.branch_if(loc, val, home, 0))
            return
        around = self.branch_if(loc, val, home, 1)
        self.jump(label)
        if not self.dead:
            self.code[around] = self.pos
        self.last = -1

    def br_table(self):
        """br_table: a table of targets; one that needs copies gets them in a stub behind the table."""
        count = self.reader.u32()
        if count > _MAX_TARGETS:
            self.reader.check(count)
            self.fail(_TOO_LARGE)
        labels = []
        for _ in range(count + 1):
            labels.append(self.target()[0])
        self.pop(_I32)
        slot = self.operand(_I32, self.loc, self.val, self.top)
        arity = len(self.types_of(labels[-1]))
        for label in labels:
            types = self.types_of(label)
            if len(types) != arity:
                self.fail(_MISMATCH)
            self.check_known(types)
        self.emit_table(slot, labels)
        self.unreachable()

    def types_of(self, label):
        """The types that a branch to `label` takes."""
        return label.ins if label.opcode == _LOOP else label.outs

    def emit_table(self, slot, labels):
        """The br_table op, its targets, then the stubs."""
        self.emit(_BR_TABLE, slot, len(labels) - 1)
        if self.dead:
            return
        at = self.pos
        if at + len(labels) + 6 > len(self.code):
            self.grow_code(at + len(labels) + 6)
        self.pos = at + len(labels)
        for i in range(len(labels)):
            types = self.types_of(labels[i])
            if self.in_place(labels[i], types):
                self.link(labels[i], at + i)
            else:
                self.code[at + i] = self.pos
                self.jump(labels[i])

    # calls

    def call(self):
        """call."""
        i = self.reader.u32()
        if i >= len(self.module.funcs):
            self.fail(_NO_FUNCTION)
        self.call_type(self.module.types[self.module.funcs[i]], _CALL, i)

    def call_indirect(self):
        """call_indirect: the operands are the element's slot, then type and table."""
        kind = self.reader.u32()
        table = self.reader.u32()
        if table >= len(self.module.tables):
            self.fail(_NO_TABLE)
        if self.module.tables[table][0] != _FUNCREF:
            self.fail(_MISMATCH)
        if kind >= len(self.module.types):
            self.fail(_NO_TYPE)
        self.pop(_I32)
        slot = self.operand(_I32, self.loc, self.val, self.top)
        self.call_type(self.module.types[kind], _CALL_INDIRECT, slot, kind, table)

    def call_type(self, signature, op, a, b=-1, c=-1):
        """A call: arguments at their homes become the callee's first slots, its results come back there."""
        params, results = signature
        self.check_top(params)
        self.settle(max(0, len(self.locs) - len(params)))
        self.pop_all(params)
        start = self.pos
        delta = self.top
        if c >= 0:
            self.emit(op, a, b, c, delta)
            if not self.dead:
                self.code[self.pos] = delta
                self.pos += 1
        else:
            self.emit(op, a, delta, delta)
        self.push_all(results)
        if words(results) == 1 and not self.dead:
            self.last = start
