"""Loads a module: reads its sections in order, validates everything and lowers the functions, in one pass (spec 5.5)."""

from mpwasm.compat import const
from mpwasm.errors import Invalid
from mpwasm.wasm.body import Body
from mpwasm.wasm.module import Module
from mpwasm.wasm.reader import Reader
from mpwasm.wasm.segments import Segments

_MAGIC = const(1)
_VERSION = const(2)
_SECTION_ID = const(6)
_SECTION_SIZE = const(7)
_INCONSISTENT = const(8)
_IMPORT_KIND = const(10)
_EXPORT_KIND = const(11)
_TYPE = const(12)
_LIMITS = const(13)
_REPRESENTATION = const(4)
_DATA_COUNT = const(18)
_COUNT_REQUIRED = const(19)
_NO_DATA = const(48)
_ORDER = const(20)
_MUTABILITY = const(22)
_REFTYPE = const(24)
_NO_TYPE = const(46)
_NO_FUNCTION = const(43)
_NO_TABLE = const(44)
_NO_MEMORY = const(45)
_NO_GLOBAL = const(42)
_MEMORIES = const(52)
_PAGES = const(54)
_MIN_MAX = const(55)
_DUPLICATE = const(56)
_START = const(57)
_MAX_ENTRIES = const(65536)
_SLICE = const(32)
_TOO_MANY = const(74)
_TABLE_SIZE = const(75)
_MAX_TABLE = const(65536)
_PAGE_SIZE = const(53)

_ORDER_OF = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0b\x0c\x0a"


def load_module(stream):
    """Read, validate and lower the module in `stream` (an object with ``readinto``); returns a `Module`.

    Raises `Malformed` or `Invalid`.
    """
    return Loader(Reader(stream)).load()


def loading(stream):
    """`load_module` as a generator that yields every few instructions, so that a board can do other things meanwhile."""
    return Loader(Reader(stream)).loading()


class Loader(Segments):
    """Reads sections from `reader` into `module`."""

    def __init__(self, reader):
        self.reader = reader
        self.module = Module()
        self.bodies = 0

    def load(self):
        """The whole module."""
        for _ in self.loading():
            pass
        return self.module

    def loading(self):
        """A generator that yields now and then, and returns the whole module."""
        r = self.reader
        for i in range(8):
            if r.at_end():
                r.fail(_MAGIC if i < 4 and r.pos == 0 else 3)
            if r.byte() != b"\x00asm\x01\x00\x00\x00"[i]:
                r.fail(_MAGIC if i < 4 else _VERSION)
        last = 0
        while not r.at_end():
            last = yield from self.section(r.byte(), last)
        m = self.module
        if self.bodies != len(m.funcs) - m.imported:
            r.fail(_INCONSISTENT)
        if m.data_count >= 0 and m.data_count != len(m.datas):
            r.fail(_DATA_COUNT)
        if m.uncounted:
            if m.datas:
                r.fail(_COUNT_REQUIRED)
            self.fail(_NO_DATA)
        return m

    def section(self, number, last):
        """One section: a generator that returns its rank, which must rise from section to section."""
        r = self.reader
        if number > 12:
            r.fail(_SECTION_ID)
        rank = _ORDER_OF[number]
        if rank and rank <= last:
            r.fail(_ORDER)
        size = r.u32()
        end = r.pos + size
        r.end = end
        if number == 0:
            r.name()
            r.skip(end - r.pos)
        elif number == 8:
            self.start()
        elif number == 12:
            self.module.data_count = r.u32()
        else:
            yield from self.entries(number)
        if r.pos != end:
            r.fail(_SECTION_SIZE)
        r.end = 1 << 29
        return rank or last

    def entries(self, number):
        """A section that is a vector: a generator that yields after some entries, and within bodies."""
        read = (
            None, self.type, self.import_, self.function, self.table, self.memory,
            self.global_, self.export, None, self.element, self.body, self.data,
        )[number]  # fmt: skip
        count = self.reader.u32()
        if number == 10:
            self.begin_bodies(count)
        for i in range(count):
            if i >= _MAX_ENTRIES:
                raise Invalid(_TOO_MANY, number, self.reader.pos)
            yield from read() or ()
            if not ~i & _SLICE - 1:
                yield

    def fail(self, code, detail=None):
        """Raise `Invalid` at the reader's offset."""
        raise Invalid(code, detail, self.reader.pos)

    # types

    def value_type(self):
        """A value type (spec 5.3.1)."""
        t = self.reader.byte()
        if not (0x7C <= t <= 0x7F or t == 0x70 or t == 0x6F):
            self.reader.fail(_TYPE)
        return t

    def result_type(self):
        """A vector of value types, as bytes."""
        types = bytearray()
        for _ in range(self.reader.u32()):
            types.append(self.value_type())
        return bytes(types) or b""

    def type(self):
        """A function type (spec 5.3.6)."""
        if self.reader.byte() != 0x60:
            self.reader.fail(_REPRESENTATION)
        params = self.result_type()
        self.module.types.append((params, self.result_type()))

    def limits(self):
        """(min, max or None) (spec 5.3.7)."""
        r = self.reader
        flags = r.byte()
        if flags > 1:
            r.fail(_LIMITS)
        low = r.u32()
        high = r.u32() if flags else None
        return low, high

    def check_limits(self, low, high, most):
        """Sizes of at most `most`, the smaller first."""
        if low > most or (high is not None and high > most):
            self.fail(_PAGES)
        if high is not None and high < low:
            self.fail(_MIN_MAX)

    def table_type(self):
        """(reference type, min, max) (spec 5.3.9)."""
        kind = self.reader.byte()
        if kind != 0x70 and kind != 0x6F:
            self.reader.fail(_REFTYPE)
        low, high = self.limits()
        self.check_limits(low, high, 0xFFFFFFFF)
        if low > _MAX_TABLE:
            self.fail(_TABLE_SIZE)
        return kind, low, high

    def global_type(self):
        """(value type, mutable) (spec 5.3.10)."""
        t = self.value_type()
        mutable = self.reader.byte()
        if mutable > 1:
            self.reader.fail(_MUTABILITY)
        return t, mutable

    def type_index(self):
        """An index into the types."""
        i = self.reader.u32()
        if i >= len(self.module.types):
            self.fail(_NO_TYPE)
        return i

    # sections

    def import_(self):
        """One import (spec 5.5.5)."""
        m = self.module
        where = self.reader.name()
        name = self.reader.name()
        kind = self.reader.byte()
        if kind == 0:
            what = self.type_index()
            m.funcs.append(what)
            m.imported += 1
        elif kind == 1:
            what = self.table_type()
            m.tables.append(what)
        elif kind == 2:
            what = self.memory_type()
            m.memory_imported = True
        elif kind == 3:
            what = self.global_type()
            m.globals.append((what[0], what[1], None))
        else:
            self.reader.fail(_IMPORT_KIND)
        m.imports.append((where, name, kind, what))

    def function(self):
        """The type of one function."""
        self.module.funcs.append(self.type_index())

    def table(self):
        """One table."""
        self.module.tables.append(self.table_type())

    def memory_type(self):
        """A memory's limits, in pages, and its page size (custom-page-sizes proposal); there is one memory at most."""
        low, high, page = self.memory_limits()
        if self.module.memory is not None:
            self.fail(_MEMORIES)
        self.check_limits(low, high, 65536 if page > 1 else 0xFFFFFFFF)
        self.module.memory = (low, high, page)
        return self.module.memory

    def memory_limits(self):
        """(min, max or None, bytes of a page); bit 3 of the flags says that the page size, 1 or 65536, follows as a power of two."""
        r = self.reader
        flags = r.byte()
        if flags & 0xF6:
            r.fail(_LIMITS)
        low = r.u32()
        high = r.u32() if flags & 1 else None
        power = r.u32() if flags & 8 else 16
        if power != 16 and power != 0:
            self.fail(_PAGE_SIZE) if power < 64 else r.fail(_LIMITS)
        return low, high, 1 << power

    def memory(self):
        """One memory."""
        self.memory_type()

    def global_(self):
        """One global with its initial value."""
        t, mutable = self.global_type()
        self.module.globals.append((t, mutable, self.expression(t)))

    def export(self):
        """One export (spec 5.5.10)."""
        m = self.module
        name = self.reader.name()
        kind = self.reader.byte()
        index = self.reader.u32()
        if kind > 3:
            self.reader.fail(_EXPORT_KIND)
        if name in m.exports:
            self.fail(_DUPLICATE, name)
        count = (len(m.funcs), len(m.tables), 0 if m.memory is None else 1, len(m.globals))[kind]
        if index >= count:
            self.fail((_NO_FUNCTION, _NO_TABLE, _NO_MEMORY, _NO_GLOBAL)[kind])
        m.exports[name] = (kind, index)
        if kind == 0:
            m.declared.add(index)

    def start(self):
        """The start function."""
        m = self.module
        i = self.reader.u32()
        if i >= len(m.funcs):
            self.fail(_NO_FUNCTION)
        params, results = m.types[m.funcs[i]]
        if params or results:
            self.fail(_START)
        m.start = i

    def begin_bodies(self, count):
        """Before the code section's entries: as many as functions were declared."""
        if count != len(self.module.funcs) - self.module.imported:
            self.reader.fail(_INCONSISTENT)
        self.lower = Body(self.reader, self.module)

    def body(self):
        """One function body (spec 5.5.13), a generator."""
        r = self.reader
        section_end = r.end
        end = r.u32() + r.pos
        if end > section_end:
            r.fail(3)
        r.end = end
        row = yield from self.lower.compile(self.module.imported + self.bodies, end)
        self.module.codes.append(row)
        r.end = section_end
        self.bodies += 1
