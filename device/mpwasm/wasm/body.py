"""One pass over a function body: decodes it, validates it fully and lowers it to slot code."""

from array import array

from mpwasm.compat import const
from mpwasm.errors import Malformed
from mpwasm.wasm.control import Control
from mpwasm.wasm.module import width, words
from mpwasm.wasm.opcodes import MEMORY, NUMERIC, SIGNATURES

_I32 = const(0x7F)
_I64 = const(0x7E)
_BLOCK = const(0x02)

_ILLEGAL = const(16)
_TOO_MANY_LOCALS = const(17)
_ZERO = const(14)
_END_EXPECTED = const(15)
_MISMATCH = const(40)
_NO_LOCAL = const(41)
_NO_GLOBAL = const(42)
_NO_MEMORY = const(45)
_ALIGNMENT = const(50)
_IMMUTABLE = const(51)
_ARITY = const(59)
_UNSUPPORTED = const(70)
_TOO_MANY = const(72)
_MAX_FRAME = const(4096)

# slot ops, see slots.OPS
_K = const(0x20)
_GLOBAL_GET = const(0x65)
_GLOBAL_SET = const(0x66)
_SELECT = const(0x69)
_ADDRESS = const(0x76)
_MEMORY_SIZE = const(0x77)
_MEMORY_GROW = const(0x78)
_EXTEND_S = const(0xC1)


class Body(Control):
    """Lowers the functions of `module` one after the other, from `reader`."""

    def __init__(self, reader, module):
        Control.__init__(self, reader)
        self.module = module
        self.locals = bytearray()
        self.slots = array("H")

    def compile(self, function, end):
        """Lower function number `function`, whose code ends at byte `end`.

        Returns (code, parameter words, words of the other locals, frame words).
        """
        self.function = function
        params, results = self.module.types[self.module.funcs[function]]
        self.locals = bytearray(params)
        self.declare_locals()
        base = self.place_locals(len(params))
        self.pos = 0
        self.last = -1
        self.reset(base)
        self.enter(_BLOCK, b"", results)
        self.run()
        if self.reader.pos != end:
            raise Malformed(_END_EXPECTED, None, self.reader.pos, function)
        size = words(params)
        return self.finished(), size, base - size - 2, self.frame

    def declare_locals(self):
        """Read the runs of local variables (spec 5.5.13)."""
        r = self.reader
        total = len(self.locals)
        for _ in range(r.u32()):
            count = r.u32()
            valtype = r.byte()
            self.check_type(valtype)
            total += count
            if total >= 1 << 32:
                r.fail(_TOO_MANY_LOCALS)
            if total <= _MAX_FRAME:
                for _ in range(count):
                    self.locals.append(valtype)
        if total > _MAX_FRAME:
            self.fail(_TOO_MANY)

    def place_locals(self, params):
        """Give each local its slot: the parameters, the call record of two words, the others. Returns the first free."""
        self.slots = array("H", bytes(2 * len(self.locals)))
        slot = 0 if params else 2
        for i in range(len(self.locals)):
            self.slots[i] = slot
            slot += width(self.locals[i])
            if i + 1 == params:
                slot += 2
        if slot > _MAX_FRAME:
            self.fail(_TOO_MANY)
        return slot

    def run(self):
        """All instructions up to the `end` that closes the function."""
        byte = self.reader.byte
        while self.labels:
            op = byte()
            if 0x45 <= op <= 0xC4:
                self.numeric(op)
            elif op == 0x20:
                i = self.local()
                self.push(self.locals[i], self.slots[i])
            elif op == 0x41:
                self.push(_I32, -1, self.reader.signed(32))
            elif 0x28 <= op <= 0x3E:
                self.memory_access(op)
            elif op == 0x21:
                i = self.local()
                self.pop(self.locals[i])
                self.store_local(self.locals[i], self.slots[i])
            elif op == 0x22:
                self.tee()
            elif op < 0x12:
                self.control(op)
            else:
                self.other(op)

    def local(self):
        """A local index."""
        i = self.reader.u32()
        if i >= len(self.locals):
            self.fail(_NO_LOCAL)
        return i

    def tee(self):
        """local.tee: the value goes to the local, and stays as that local's."""
        i = self.local()
        valtype = self.locals[i]
        self.pop(valtype)
        self.store_local(valtype, self.slots[i])
        self.push(valtype, self.slots[i])

    # numbers

    def numeric(self, opcode):
        """A numeric instruction, by its row of the table."""
        row = 2 * (opcode - 0x45)
        kind = NUMERIC[row]
        if kind == 0xFF:
            self.fail(_UNSUPPORTED, opcode)
        signature = SIGNATURES[kind & 0x7F]
        op = NUMERIC[row + 1]
        if len(signature) == 3:
            self.binary(signature, op, kind & 0x80)
            return
        self.pop(signature[0])
        slot = self.operand(signature[0], self.loc, self.val, self.top)
        if op & 0x7F == 0x30:
            self.equal_zero(op, slot)
        else:
            self.emit_result(signature[1], op, slot)

    def equal_zero(self, op, slot):
        """eqz: turns the comparison made just before round, else compares with 0."""
        if op == 0x30 and not self.dead and self.made_now(slot, self.top):
            before = self.code[self.last]
            if before & 0xD8 == 0x10 and before & 7 < 6:
                self.code[self.last] = before ^ 1
                self.push(_I32)
                return
        self.emit_result(_I32, op, slot, 0)

    def binary(self, signature, op, swap):
        """A binary instruction: with its right operand a small constant where that can be."""
        valtype = signature[0]
        self.pop(valtype)
        b, b_val, b_home = self.loc, self.val, self.top
        self.pop(valtype)
        a, a_val, a_home = self.loc, self.val, self.top
        if self.dead:
            self.push(signature[2])
            return
        if swap:
            a, a_val, a_home, b, b_val, b_home = b, b_val, b_home, a, a_val, a_home
        if a < 0 <= b and self.can_turn(op, a_val):
            op, b_val = turned(op, a_val)
            a, b = b, -1
        elif op & 0x7F == 1 and b < 0 and b_val != -32768:
            op -= 1
            b_val = -b_val
        a = self.operand(valtype, a, a_val, a_home)
        if b < 0 and -32768 <= b_val < 32768:
            self.emit_result(signature[2], op | _K, a, b_val & 0xFFFF)
        else:
            self.emit_result(signature[2], op, a, self.operand(valtype, b, b_val, b_home))

    def can_turn(self, op, value):
        """Whether ``value op x`` can be written ``x op' k`` with a small constant k."""
        op &= 0x1F
        return -32768 <= value < 32767 and (op == 0 or 2 <= op <= 5 or op >= 16 and (op < 20 or value >= 0))

    # memory

    def memarg(self, natural):
        """Alignment and offset (spec 5.4.6); returns the offset."""
        if self.module.memory is None:
            self.fail(_NO_MEMORY)
        align = self.reader.u32()
        if align > natural:
            self.fail(_ALIGNMENT)
        return self.reader.u32()

    def memory_access(self, opcode):
        """A load or a store, by its row of the table."""
        row = 3 * (opcode - 0x28)
        valtype = MEMORY[row]
        if valtype == 0xFF:
            self.fail(_UNSUPPORTED, opcode)
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

    # everything else

    def other(self, op):
        """Variables, parametric instructions and the rest."""
        r = self.reader
        if op == 0x42:
            self.push(_I64, -1, r.signed(64))
        elif op == 0x1A:
            self.pop()
        elif op == 0x1B or op == 0x1C:
            self.select(op)
        elif op == 0x23:
            valtype, _, i = self.global_()
            self.emit_result(valtype, _GLOBAL_GET + 2 * (width(valtype) - 1), i)
        elif op == 0x24:
            self.global_set()
        elif op == 0x3F or op == 0x40:
            self.memory_size(op)
        elif op in b"\x25\x26\x43\x44\xd0\xd1\xd2":
            self.fail(_UNSUPPORTED, op)
        elif op == 0xFC:
            self.prefixed()
        else:
            r.fail(_ILLEGAL, op)

    def prefixed(self):
        """An instruction behind the prefix 0xFC: none yet."""
        sub = self.reader.u32()
        if sub > 17:
            self.reader.fail(_ILLEGAL, 0xFC00 + (sub & 0xFF))
        self.fail(_UNSUPPORTED, 0xFC00 + sub)

    def select(self, op):
        """select, untyped (numbers only) or with its type."""
        want = 0
        if op == 0x1C:
            if self.reader.u32() != 1:
                self.fail(_ARITY)
            want = self.reader.byte()
            self.check_type(want)
        self.pop(_I32)
        c, c_val, c_home = self.loc, self.val, self.top
        second = self.pop(want)
        b, b_val, b_home = self.loc, self.val, self.top
        valtype = self.pop(second)
        if op == 0x1B and (valtype == 0x70 or valtype == 0x6F):
            self.fail(_MISMATCH)
        if self.dead:
            self.push(valtype)
            return
        a = self.operand(valtype, self.loc, self.val, self.top)
        b = self.operand(valtype, b, b_val, b_home)
        c = self.operand(_I32, c, c_val, c_home)
        self.emit_result(valtype, _SELECT + width(valtype) - 1, a, b, c)

    def global_(self):
        """A global index; returns (value type, mutable, index)."""
        i = self.reader.u32()
        if i >= len(self.module.globals):
            self.fail(_NO_GLOBAL)
        g = self.module.globals[i]
        return g[0], g[1], i

    def global_set(self):
        """global.set."""
        valtype, mutable, i = self.global_()
        if not mutable:
            self.fail(_IMMUTABLE)
        self.pop(valtype)
        self.emit(_GLOBAL_SET + 2 * (width(valtype) - 1), self.operand(valtype, self.loc, self.val, self.top), i)

    def memory_size(self, op):
        """memory.size and memory.grow."""
        if self.reader.byte():
            self.reader.fail(_ZERO)
        if self.module.memory is None:
            self.fail(_NO_MEMORY)
        if op == 0x3F:
            self.emit_result(_I32, _MEMORY_SIZE)
        else:
            self.pop(_I32)
            self.emit_result(_I32, _MEMORY_GROW, self.operand(_I32, self.loc, self.val, self.top))


def turned(op, value):
    """``value op x`` as ``x op' k``: (op', k); less-than and at-least become each other one further on."""
    sub = op & 0x1F
    if sub < 18:
        return op, value
    return op ^ 1, value + 1
