"""Templates: each slot op as Thumb code for ARMv6-M (the registers are told in `thumb_frame`)."""

from mpwasm.compat import const
from mpwasm.native.thumb_calls import Calls
from mpwasm.native.thumb_frame import Cold

_MEM = const(6)
_RECORD = const(10)
_NOTHING = const(-1)
_ANDS = const(0)
_LSLS = const(2)
_LSRS = const(3)
_ASRS = const(4)
_RORS = const(7)
_RSBS = const(9)
_CMP = const(10)
_MULS = const(13)
_NE = const(1)
_HS = const(2)
_CONDITIONS = b"\x00\x01\x0b\x0a\x03\x02"  # eq ne lt_s ge_s lt_u ge_u
_LOGIC = b"\x00\x0c\x01"  # and or xor
_SIZES = b"\x00\x00\x01\x01\x02\x00\x00\x00\x00\x01\x02"  # of loads and stores, as powers of two
_LOADS = b"\x06\x03\x05\x07\x04"  # LDRB LDRSB LDRH LDRSH LDR
_ACCESS = const(3)
_OP = const(4)
_BOUNDS = const(8)


class Templates(Calls):
    """All templates; `one` picks the one for an op."""

    def one(self, at):
        """The op at unit `at`."""
        op = self.code[at]
        if op < 0x40:
            self.binary(op, at)
        elif op < 0x50:
            self.compare_branch(op, at)
        elif op < 0x60 and op != 0x55 and op != 0x5B:
            self.access(op, at)
        elif op == 0x60:
            self.move(at)
        elif op == 0x62 or op == 0x63:
            self.constant(op, at)
        elif op == 0x65 or op == 0x66:
            self.global_(op, at)
        elif op == 0x69:
            self.select(at)
        elif op == 0x6B or op == 0x6C:
            self.extend(op, at)
        elif 0x70 <= op < 0x76:
            self.control(op, at)
        else:
            self.python(_OP, at)

    def constant(self, op, at):
        """const, const32."""
        code = self.code
        value, slot = code[at + 1], code[at + 2]
        if op == 0x63:
            value, slot = value | slot << 16, code[at + 3]
        elif value > 32767:
            value -= 65536
        rd = self.target(slot)
        self.asm.constant(rd, value)
        self.made(rd, slot, at)

    def move(self, at):
        """move."""
        source, slot = self.code[at + 1], self.code[at + 2]
        rd = self.target(slot)
        home = self.home.get(source, _NOTHING)
        if source != self.acc and home == _NOTHING:
            self.word(4, rd, source)
        else:
            self.asm.mov(rd, 0 if source == self.acc else home)
        self.made(rd, slot, at)

    def global_(self, op, at):
        """global.get, global.set of 32 bits: words in the record."""
        asm, code = self.asm, self.code
        if op == 0x65:
            slot = code[at + 2]
            rd = self.target(slot)
            asm.mov(1, _RECORD)
            self.at_offset(4, rd, 1, 64 + 8 * code[at + 1])
            self.made(rd, slot, at)
        else:
            rt = self.use(code[at + 1], 0)
            asm.mov(1, _RECORD)
            self.at_offset(0, rt, 1, 64 + 8 * code[at + 2])

    def at_offset(self, number, rt, rn, offset):
        """LDR (4) or STR (0) at a constant offset."""
        if offset < 128:
            (self.asm.ldr5 if number else self.asm.str5)(rt, rn, offset)
        else:
            self.asm.constant(2, offset)
            self.asm.memory(number, rt, rn, 2)

    def extend(self, op, at):
        """i32.extend8_s, i32.extend16_s."""
        slot = self.code[at + 2]
        rs = self.use(self.code[at + 1], 0)
        rd = self.target(slot)
        self.asm.extend(1 if op == 0x6B else 0, rd, rs)
        self.made(rd, slot, at)

    def select(self, at):
        """select of 32 bits."""
        asm, code = self.asm, self.code
        a, b, c, slot = code[at + 1], code[at + 2], code[at + 3], code[at + 4]
        rc = self.use(c, 2)
        asm.cmp8(rc, 0)
        ra, rb = (0 if x == self.acc else self.home.get(x, _NOTHING) for x in (a, b))
        if ra == _NOTHING:
            self.word(4, 1, a)
            ra = 1
        if rb == _NOTHING:
            self.word(4, 2, b)
            rb = 2
        if ra < 8 and ra != 1:
            asm.mov(1, ra)
        elif ra > 7:
            asm.mov(1, ra)
        skip = asm.here
        asm.put(0)
        asm.mov(1, rb)
        asm.patch_bcc(skip, _NE, asm.here)
        rd = self.target(slot)
        asm.mov(rd, 1)
        self.made(rd, slot, at)

    def binary(self, op, at):
        """i32 arithmetic and comparison."""
        kind = op & 0x1F
        if 11 <= kind < 16:
            self.python(_OP, at)
            return
        code = self.code
        slot = code[at + 3]
        k = None
        if op & 0x20:
            k = code[at + 2]
            if k > 32767:
                k -= 65536
        ra = self.use(code[at + 1], 1 if k is None and code[at + 2] == self.acc else 0)
        rd = self.target(slot)
        if kind >= 16:
            self.compare(kind - 16, rd, ra, k, at)
        elif k is None:
            self.register_op(kind, rd, ra, self.use(code[at + 2], 1 if ra != 1 else 2))
        else:
            self.constant_op(kind, rd, ra, k)
        self.made(rd, slot, at)

    def register_op(self, kind, rd, ra, rb):
        """rd = ra op rb."""
        asm = self.asm
        if kind < 2:
            (asm.add if kind == 0 else asm.sub)(rd, ra, rb)
        elif kind < 6:
            number = _MULS if kind == 2 else _LOGIC[kind - 3]
            if rd == rb:
                ra, rb = rb, ra
            asm.mov(rd, ra)
            asm.op(number, rd, rb)
        else:
            if kind == 9:
                asm.op(_RSBS, 2, rb)
            elif kind == 10:
                asm.mov(2, rb)
            else:
                # the count is masked; ra lives on in r0 to r1 or a home
                self.masked(rb, ra)
            asm.mov(rd, ra)
            asm.op(_RORS if kind > 8 else (_LSLS, _ASRS, _LSRS)[kind - 6], rd, 2)

    def masked(self, rb, ra):
        """r2 = rb & 31."""
        asm = self.asm
        if rb == 2:
            asm.shift(_LSLS, 2, 2, 27)
            asm.shift(_LSRS, 2, 2, 27)
        else:
            asm.mov8(2, 31)
            asm.op(_ANDS, 2, rb)

    def constant_op(self, kind, rd, ra, k):
        """rd = ra op k."""
        asm = self.asm
        if kind == 0:
            self.add_constant(rd, ra, k)
        elif kind == 1:
            self.add_constant(rd, ra, -k)
        elif kind < 9 and kind > 5:
            if k & 31:
                asm.shift((_LSLS, _ASRS, _LSRS)[kind - 6], rd, ra, k & 31)
            else:
                asm.mov(rd, ra)
        elif kind > 8:
            asm.mov8(2, (-k if kind == 9 else k) & 31)
            asm.mov(rd, ra)
            asm.op(_RORS, rd, 2)
        elif kind == 3 and k == 255:
            asm.extend(3, rd, ra)
        elif kind == 3 and k > 0 and not k & k + 1:
            bits = 32
            while k:
                k >>= 1
                bits -= 1
            asm.shift(_LSLS, rd, ra, bits)
            asm.shift(_LSRS, rd, rd, bits)
        else:
            asm.constant(2, k)
            asm.mov(rd, ra)
            asm.op(_MULS if kind == 2 else _LOGIC[kind - 3], rd, 2)

    def add_constant(self, rd, ra, k):
        """rd = ra + k."""
        asm = self.asm
        if -7 <= k <= 7:
            asm.add3(rd, ra, k)
        elif -255 <= k <= 255:
            asm.mov(rd, ra)
            asm.add8(rd, k)
        else:
            asm.constant(2, k)
            asm.add(rd, ra, 2)

    def flags(self, ra, k, b):
        """Compare `ra` with the constant `k`, or with slot `b`."""
        asm = self.asm
        if k is None:
            asm.op(_CMP, ra, self.use(b, 1 if ra != 1 else 2))
        elif 0 <= k < 256:
            asm.cmp8(ra, k)
        else:
            asm.constant(2, k)
            asm.op(_CMP, ra, 2)

    def compare(self, kind, rd, ra, k, at):
        """rd = 1 if ra kind b else 0."""
        asm = self.asm
        self.flags(ra, k, self.code[at + 2])
        yes = asm.here
        asm.put(0)
        asm.mov8(rd, 0)
        out = asm.here
        asm.put(0)
        asm.patch_bcc(yes, _CONDITIONS[kind], asm.here)
        asm.mov8(rd, 1)
        asm.patch_b(out, asm.here)

    def compare_branch(self, op, at):
        """Compare and branch."""
        code = self.code
        k = None
        if op & 8:
            k = code[at + 2]
            if k > 32767:
                k -= 65536
        ra = self.use(code[at + 1], 1 if k is None and code[at + 2] == self.acc else 0)
        self.flags(ra, k, code[at + 2])
        self.branch(_CONDITIONS[op & 7], code[at + 3])

    def access(self, op, at):
        """A load or store of up to 32 bits: aligned and within the window, else Python does it."""
        asm, code = self.asm, self.code
        store = op > 0x57
        value = _NOTHING
        ra = self.use(code[at + 1], 1 if store and code[at + 2] == self.acc else 0)
        if store:
            value = self.use(code[at + 2], 1 if ra != 1 else 2)
        ea = self.effective(ra, code[at + 3] if store else code[at + 2])
        item = Cold(_ACCESS, op)
        item.a, item.b = ea, value
        self.cold.append(item)
        size = _SIZES[op - 0x50]
        if size:
            free = 2 if ea != 2 else 1 if value != 1 else 0
            asm.shift(_LSLS, free, ea, 32 - size)
            self.site(item, _NE)
        asm.cmp_high(ea, 9)
        self.site(item, _HS)
        self.acc = _NOTHING
        if store:
            asm.memory(2 - size, value, _MEM, ea)
            item.back = asm.here
        else:
            item.rd = self.target(code[at + 3])
            asm.memory(_LOADS[op - 0x50], item.rd, _MEM, ea)
            item.back = asm.here
            self.made(item.rd, code[at + 3], at)

    def effective(self, ra, offset):
        """A register with ra + offset, which must not carry: ra itself, or r2."""
        asm = self.asm
        if not offset:
            return ra
        if offset < 256:
            self.add_constant(2, ra, offset)
        else:
            asm.constant(2, offset)
            asm.add(2, 2, ra)
        self.later(_HS, _BOUNDS, 0)
        return 2
