"""Reads constant expressions, element and data segments (spec 3.3.9, 5.5.12, 5.5.14)."""

from mpwasm.compat import const

_ILLEGAL = const(16)
_FLAGS = const(23)
_REFTYPE = const(24)
_MISMATCH = const(40)
_NO_GLOBAL = const(42)
_NO_FUNCTION = const(43)
_NO_TABLE = const(44)
_NO_MEMORY = const(45)
_NOT_CONSTANT = const(58)
_I32 = const(0x7F)
_I64 = const(0x7E)
_FUNCREF = const(0x70)


class Segments:
    """The part of a loader that reads segments; needs `reader`, `module` and `fail`."""

    def expression(self, valtype):
        """A constant expression of type `valtype`: a tuple of opcodes and immediates."""
        r = self.reader
        out = []
        found = []
        while True:
            op = r.byte()
            if op == 0x0B:
                break
            value = self.constant(op, found)
            out.append(op)
            out.append(value)
        if len(found) != 1 or found[0] != valtype:
            self.fail(_MISMATCH)
        return tuple(out)

    def constant(self, op, found):
        """One instruction of a constant expression; its type goes on the stack `found`. Returns its immediate."""
        r = self.reader
        if op == 0x41:
            found.append(_I32)
            return r.signed(32)
        if op == 0x42:
            found.append(_I64)
            return r.signed(64)
        if op == 0x23:
            return self.constant_global(found)
        if op == 0xD2:
            found.append(_FUNCREF)
            return self.function_index()
        if op == 0xD0:
            found.append(self.reference_type())
            return 0
        if op == 0x43 or op == 0x44:
            found.append(0x7D if op == 0x43 else 0x7C)
            return r.pattern(4 if op == 0x43 else 8)
        if op in b"\x6a\x6b\x6c\x7c\x7d\x7e":
            self.constant_binary(_I32 if op < 0x70 else _I64, found)
            return 0
        self.not_constant(op)

    def not_constant(self, op):
        """An instruction that may not stand in a constant expression, or is none at all."""
        if op > 0xC4 and op != 0xD1 and op != 0xFC:
            self.reader.fail(_ILLEGAL, op)
        self.fail(_NOT_CONSTANT)

    def constant_binary(self, valtype, found):
        """add, sub, mul of the extended-const proposal."""
        if len(found) < 2 or found.pop() != valtype or found[-1] != valtype:
            self.fail(_MISMATCH)

    def constant_global(self, found):
        """global.get of an imported, immutable global."""
        i = self.reader.u32()
        if i >= len(self.module.globals):
            self.fail(_NO_GLOBAL)
        g = self.module.globals[i]
        if g[2] is not None:
            self.fail(_NO_GLOBAL)
        if g[1]:
            self.fail(_NOT_CONSTANT)
        found.append(g[0])
        return i

    def reference_type(self):
        """funcref or externref."""
        t = self.reader.byte()
        if t != 0x70 and t != 0x6F:
            self.reader.fail(_REFTYPE)
        return t

    def function_index(self):
        """The index of a function, which is thereby declared as referenced."""
        i = self.reader.u32()
        if i >= len(self.module.funcs):
            self.fail(_NO_FUNCTION)
        self.module.declared.add(i)
        return i

    def element(self):
        """One element segment; the three low bits of its first number tell its form (spec 5.5.12)."""
        r = self.reader
        flags = r.u32()
        if flags > 7:
            r.fail(_FLAGS)
        table = r.u32() if flags & 3 == 2 else 0
        offset = None if flags & 1 else self.expression(_I32)
        kind = _FUNCREF
        if flags & 3:
            kind = self.reference_type() if flags & 4 else self.element_kind()
        if not flags & 1:
            self.check_table(table, kind)
        items = []
        for _ in range(r.u32()):
            items.append(self.expression(kind) if flags & 4 else (0xD2, self.function_index()))
        mode = 0 if not flags & 1 else 2 if flags & 2 else 1
        self.module.elems.append((mode, table, offset, kind, items))

    def element_kind(self):
        """The byte 0x00, which stands for funcref."""
        if self.reader.byte():
            self.reader.fail(_FLAGS)
        return _FUNCREF

    def check_table(self, table, kind):
        """An active segment's table must be there and hold its type."""
        if table >= len(self.module.tables):
            self.fail(_NO_TABLE)
        if self.module.tables[table][0] != kind:
            self.fail(_MISMATCH)

    def data(self):
        """One data segment (spec 5.5.14)."""
        r = self.reader
        flags = r.u32()
        if flags > 2:
            r.fail(_FLAGS)
        offset = None
        if flags != 1:
            if (r.u32() if flags == 2 else 0) or self.module.memory is None:
                self.fail(_NO_MEMORY)
            offset = self.expression(_I32)
        self.module.datas.append((flags & 1, offset, r.take(r.u32())))
