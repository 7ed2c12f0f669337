"""Lowers what reaches outside the frame: memory, globals, tables and references (spec 3.3.2, 3.3.5 to 3.3.7)."""

from mpwasm.compat import const
from mpwasm.wasm.control import Control
from mpwasm.wasm.module import width
from mpwasm.wasm.opcodes import MEMORY

_I32 = const(0x7F)
_I64 = const(0x7E)
_FUNCREF = const(0x70)

_ZERO = const(14)
_ILLEGAL = const(16)
_MISMATCH = const(40)
_NO_GLOBAL = const(42)
_NO_FUNCTION = const(43)
_NO_TABLE = const(44)
_NO_MEMORY = const(45)
_NO_DATA = const(48)
_NO_ELEM = const(49)
_ALIGNMENT = const(50)
_IMMUTABLE = const(51)
_UNDECLARED = const(60)

# slot ops, see slots.OPS
_GLOBAL_GET = const(0x65)
_GLOBAL_SET = const(0x66)
_ADDRESS = const(0x76)
_MEMORY_SIZE = const(0x77)
_MEMORY_GROW = const(0x78)
_EXTEND_S = const(0xC1)
_BULK = const(0xCB)
_DROP = const(0xCC)
_TABLE_GROW = const(0xCD)
_TABLE_SIZE = const(0xCE)
_TABLE_GET = const(0xCF)
_TABLE_SET = const(0xD0)
_REF_FUNC = const(0xD1)


class Access(Control):
    """An emitter that knows memory, globals, tables and references."""

    def pop_slots(self, types):
        """Pop operands of `types`; returns their slots, in order."""
        found = []
        for i in range(len(types) - 1, -1, -1):
            self.pop(types[i])
            found.append((types[i], self.loc, self.val, self.top))
        found.reverse()
        return [0] * len(types) if self.dead else [self.operand(*f) for f in found]

    # memory

    def need_memory(self):
        """There must be a memory."""
        if self.module.memory is None:
            self.fail(_NO_MEMORY)

    def memarg(self, natural):
        """Alignment and offset (spec 5.4.6); returns the offset."""
        self.need_memory()
        align = self.reader.u32()
        if align > natural:
            self.fail(_ALIGNMENT)
        return self.reader.u32()

    def memory_access(self, opcode):
        """A load or a store, by its row of the table."""
        row = 3 * (opcode - 0x28)
        valtype = MEMORY[row]
        align = MEMORY[row + 1]
        offset = self.memarg(align & 15)
        op = MEMORY[row + 2]
        if opcode >= 0x36:
            self.store(valtype, op, offset)
            return
        slot, offset = self.address(offset)
        if align < 16:
            self.emit_result(valtype, op, slot, offset)
        else:
            self.emit_result(_I32, op, slot, offset)
            self.pop(_I32)
            self.emit_result(_I64, _EXTEND_S + 2 - (align >> 4), self.loc)

    def address(self, offset):
        """Pop an address; returns its slot and an offset of 16 bits: a larger one is added, checked, beforehand."""
        self.pop(_I32)
        home = self.top
        slot = self.operand(_I32, self.loc, self.val, home)
        if offset > 0xFFFF:
            self.emit(_ADDRESS, slot, offset & 0xFFFF, offset >> 16, home)
            return home, 0
        return slot, offset

    def store(self, valtype, op, offset):
        """A store: value and address popped."""
        self.pop(valtype)
        loc, val, home = self.loc, self.val, self.top
        slot, offset = self.address(offset)
        self.emit(op, slot, self.operand(valtype, loc, val, home), offset)

    def memory_size(self, op):
        """memory.size and memory.grow."""
        if self.reader.byte():
            self.reader.fail(_ZERO)
        self.need_memory()
        if op == 0x3F:
            self.emit_result(_I32, _MEMORY_SIZE)
        else:
            self.pop(_I32)
            self.emit_result(_I32, _MEMORY_GROW, self.operand(_I32, self.loc, self.val, self.top))

    # globals

    def global_(self):
        """A global index; returns (value type, mutable, index)."""
        i = self.reader.u32()
        if i >= len(self.module.globals):
            self.fail(_NO_GLOBAL)
        g = self.module.globals[i]
        return g[0], g[1], i

    def global_get(self):
        """global.get."""
        valtype, _, i = self.global_()
        self.emit_result(valtype, _GLOBAL_GET + 2 * (width(valtype) - 1), i)

    def global_set(self):
        """global.set."""
        valtype, mutable, i = self.global_()
        if not mutable:
            self.fail(_IMMUTABLE)
        self.pop(valtype)
        self.emit(_GLOBAL_SET + 2 * (width(valtype) - 1), self.operand(valtype, self.loc, self.val, self.top), i)

    # tables and references

    def table(self):
        """A table index; returns (index, reference type)."""
        i = self.reader.u32()
        if i >= len(self.module.tables):
            self.fail(_NO_TABLE)
        return i, self.module.tables[i][0]

    def table_access(self, op):
        """table.get and table.set."""
        i, kind = self.table()
        self.module.extras = True
        if op == 0x25:
            slot = self.pop_slots((_I32,))[0]
            self.emit_result(kind, _TABLE_GET, i, slot)
        else:
            slot, value = self.pop_slots((_I32, kind))
            self.emit(_TABLE_SET, i, slot, value)

    def reference(self, op):
        """ref.null, ref.is_null, ref.func; null is 0."""
        if op == 0xD0:
            kind = self.reader.byte()
            if kind != _FUNCREF and kind != 0x6F:
                self.reader.fail(24)
            self.push(kind, -1, 0)
        elif op == 0xD1:
            kind = self.pop()
            if kind and kind != _FUNCREF and kind != 0x6F:
                self.fail(_MISMATCH)
            self.equal_zero(0x30, self.operand(_I32, self.loc, self.val, self.top))
        else:
            self.ref_func()

    def ref_func(self):
        """ref.func, of a function that is named outside the bodies too."""
        i = self.reader.u32()
        if i >= len(self.module.funcs):
            self.fail(_NO_FUNCTION)
        if i not in self.module.declared:
            self.fail(_UNDECLARED)
        self.module.extras = True
        self.emit_result(_FUNCREF, _REF_FUNC, i)

    def equal_zero(self, op, slot):
        """eqz: turns the comparison made just before round, else compares with 0."""
        if op == 0x30 and not self.dead and self.made_now(slot, self.top):
            before = self.code[self.last]
            if before & 0xD8 == 0x10 and before & 7 < 6:
                self.code[self.last] = before ^ 1
                self.push(_I32)
                return
        self.emit_result(_I32, op, slot, 0)

    def bulk(self, sub):
        """The instructions 0xFC08 to 0xFC11."""
        self.module.extras = True
        if sub == 9 or sub == 13:
            self.drop(sub)
        elif sub == 15:
            i, kind = self.table()
            value, count = self.pop_slots((kind, _I32))
            self.emit_result(_I32, _TABLE_GROW, i, value, count)
        elif sub == 16:
            self.emit_result(_I32, _TABLE_SIZE, self.table()[0])
        else:
            x, y, kind = self.bulk_operands(sub)
            a, b, c = self.pop_slots((_I32, kind, _I32))
            self.emit(_BULK, sub, x, y, a)
            if not self.dead:
                self.code[self.pos] = b
                self.code[self.pos + 1] = c
                self.pos += 2

    def bulk_operands(self, sub):
        """Immediates of init, copy and fill: two units and the type of the middle operand."""
        if sub == 8:
            x = self.data_index()
            self.zero_byte()
            return x, 0, _I32
        if sub == 10 or sub == 11:
            self.zero_byte()
            if sub == 10:
                self.zero_byte()
            return 0, 0, _I32
        if sub == 17:
            x, kind = self.table()
            return x, 0, kind
        if sub == 12:
            x, kind = self.elem_index()
            y, other = self.table()
        else:
            x, other = self.table()
            y, kind = self.table()
        if kind != other:
            self.fail(_MISMATCH)
        return x, y, _I32

    def zero_byte(self):
        """The reserved byte that will name a memory some day."""
        if self.reader.byte():
            self.reader.fail(_ZERO)
        self.need_memory()

    def data_index(self):
        """The index of a data segment; without a data count section the loader decides, when it has seen the data."""
        i = self.reader.u32()
        if self.module.data_count < 0:
            self.module.uncounted = True
        elif i >= self.module.data_count:
            self.fail(_NO_DATA)
        return i & 0xFFFF

    def elem_index(self):
        """The index of an element segment; returns (index, reference type)."""
        i = self.reader.u32()
        if i >= len(self.module.elems):
            self.fail(_NO_ELEM)
        return i, self.module.elems[i][3]

    def drop(self, sub):
        """data.drop and elem.drop."""
        self.emit(_DROP, sub, self.data_index() if sub == 9 else self.elem_index()[0])
