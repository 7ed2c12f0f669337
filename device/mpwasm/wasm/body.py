"""One pass over a function body: decodes it, validates it fully and lowers it to slot code."""

from array import array

from mpwasm.compat import const
from mpwasm.errors import Malformed
from mpwasm.wasm.access import Access
from mpwasm.wasm.module import width, words
from mpwasm.wasm.opcodes import NUMERIC, SATURATING, SIGNATURES

_I32 = const(0x7F)
_I64 = const(0x7E)
_BLOCK = const(0x02)

_ILLEGAL = const(16)
_TOO_MANY_LOCALS = const(17)
_END_EXPECTED = const(15)
_MISMATCH = const(40)
_NO_LOCAL = const(41)
_ARITY = const(59)
_TOO_MANY = const(72)
_MAX_FRAME = const(4096)
_SLICE = const(64)  # instructions

# slot ops, see slots.OPS
_K = const(0x20)
_MOVE = const(0x60)
_SELECT = const(0x69)
_FLOAT1 = const(0xC9)
_FLOAT2 = const(0xCA)


class Body(Access):
    """Lowers the functions of `module` one after the other, from `reader`."""

    # found in this class, too: MicroPython looks class by class, for each 3 us on an RP2040
    push, pop, operand, emit, emit_result = Access.push, Access.pop, Access.operand, Access.emit, Access.emit_result
    spill, made_now, store_local, put_const = Access.spill, Access.made_now, Access.store_local, Access.put_const

    def __init__(self, reader, module):
        Access.__init__(self, reader)
        self.module = module
        self.locals = bytearray()
        self.slots = array("H")

    def compile(self, function, end):
        """Lower function number `function`, whose code ends at byte `end`: a generator that yields every few instructions.

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
        while self.labels:
            self.run()
            yield
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
        """Some instructions, at most up to the `end` that closes the function."""
        byte = self.reader.byte
        for _ in range(_SLICE):
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
            if not self.labels:
                return

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
        signature = SIGNATURES[kind & 0x7F]
        op = NUMERIC[row + 1]
        if op == _FLOAT1 or op == _FLOAT2:
            self.float_op(signature, opcode)
        elif len(signature) == 3:
            self.binary(signature, op, kind & 0x80)
        elif op == _MOVE:
            self.reinterpret(signature)
        else:
            self.pop(signature[0])
            slot = self.operand(signature[0], self.loc, self.val, self.top)
            if op & 0x7F == 0x30:
                self.equal_zero(op, slot)
            else:
                self.emit_result(signature[1], op, slot)

    def reinterpret(self, signature):
        """The same bits under another type: nothing moves."""
        last = self.last
        self.pop(signature[0])
        if self.loc == self.top:
            self.push(signature[1])
        else:
            self.push(signature[1], self.loc, self.val)
        self.last = last

    def float_op(self, signature, opcode):
        """A float instruction goes by its opcode, to whatever computes floats."""
        self.module.extras = True
        slots = self.pop_slots(signature[:-1])
        if len(slots) == 1:
            self.emit_result(signature[-1], _FLOAT1, opcode, slots[0])
        else:
            self.emit_result(signature[-1], _FLOAT2, opcode, slots[0], slots[1])

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
            self.global_get()
        elif op == 0x24:
            self.global_set()
        elif op == 0x3F or op == 0x40:
            self.memory_size(op)
        elif op == 0x25 or op == 0x26:
            self.table_access(op)
        elif op == 0x43:
            self.push(0x7D, -1, r.pattern(4))
        elif op == 0x44:
            self.push(0x7C, -1, r.pattern(8))
        elif 0xD0 <= op <= 0xD2:
            self.reference(op)
        elif op == 0xFC:
            self.prefixed()
        else:
            r.fail(_ILLEGAL, op)

    def prefixed(self):
        """An instruction behind the prefix 0xFC: saturating conversions and bulk operations."""
        sub = self.reader.u32()
        if sub > 17:
            self.reader.fail(_ILLEGAL, 0xFC00 + (sub & 0xFF))
        if sub > 7:
            self.bulk(sub)
        else:
            self.float_op(SIGNATURES[SATURATING[sub]], 0xFC00 + sub)

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


def turned(op, value):
    """``value op x`` as ``x op' k``: (op', k); less-than and at-least become each other one further on."""
    sub = op & 0x1F
    if sub < 18:
        return op, value
    return op ^ 1, value + 1
