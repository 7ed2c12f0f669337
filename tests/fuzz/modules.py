"""Generates whole modules: types, imports, tables, memories, globals, segments, functions, and the exports a case calls."""

from collections import namedtuple

import wasmbuild as w
from wasmbuild import uleb

from tests.fuzz import operators
from tests.fuzz.statements import ALL_TYPES, Function
from tests.fuzz.tree import EXT, F32, F64, FUNC, I32, I64, NUMBERS, Node, const, encode

FUEL = 60  # loop rounds and calls together that one call of an export may take

Table = namedtuple("Table", "kind low high items")
Segment = namedtuple("Segment", "mode kind items table offset")
AS_INT = {F32: (I32, 0xBC, 0xBE), F64: (I64, 0xBD, 0xBF)}


class ModuleMaker:
    """Makes one module with the generator `rng`; `provider` is another one, made before, to import from.

    `functions` are (parameter types, result types), imported ones first; `bodies` the own ones' `Function`; `exports` of
    kind 0 named e0, e1, … take and give integers and externrefs only, and fill the fuel first.
    """

    def __init__(self, rng, provider=None):
        self.rng, self.provider = rng, provider
        self.types, self.functions, self.globals, self.tables, self.bodies = [], [], [], [], []
        self.imports, self.exports, self.entries = [], {}, []
        self.memory = None
        self.host_functions()
        if provider:
            self.import_all()
        self.imported = len(self.functions)
        self.make_memory()
        self.make_tables()
        self.make_globals()
        own = [(self.signature(4), self.signature(3)) for _ in range(1 + rng.randrange(4))]
        self.functions += own
        self.fill_tables()
        self.elems = [self.element_segment() for _ in range(rng.randrange(4) + 1)]
        self.datas = [self.data_segment() for _ in range(rng.randrange(4))]
        self.start = None
        for params, results in own:
            self.bodies.append(Function(self, params, results, 30 + rng.randrange(120)).make(2 + rng.randrange(3)))
        self.make_exports(len(own))

    def signature(self, most):
        """Some value types."""
        return bytes(self.rng.choice(NUMBERS if self.rng.random() < 0.85 else ALL_TYPES) for _ in range(self.rng.randrange(most)))

    def type_index(self, params, results):
        """The index of a function type, which is added where it is new."""
        key = bytes(params), bytes(results)
        if key not in self.types:
            self.types.append(key)
        return self.types.index(key)

    # imports

    def host_functions(self):
        """Functions of the host: integers and externrefs in, at most one out."""
        for i in range(self.rng.randrange(3)):
            params = bytes(self.rng.choice((I32, I64, I32, EXT)) for _ in range(self.rng.randrange(4)))
            results = bytes(self.rng.choice((I32, I64, EXT)) for _ in range(self.rng.randrange(2)))
            self.imports.append(("env", f"h{i}", 0, uleb(self.type_index(params, results))))
            self.functions.append((params, results))

    def import_all(self):
        """What the provider exports, most of it."""
        for name, (kind, index) in self.provider.exports.items():
            if name[0] in "ed" or self.rng.random() < 0.2:
                continue
            self.imports.append(("first", name, kind, self.import_one(kind, index)))

    def import_one(self, kind, index):
        """Note one import; returns its description."""
        p = self.provider
        if kind == 0:
            self.functions.append(p.functions[index])
            return uleb(self.type_index(*p.functions[index]))
        if kind == 1:
            t = p.tables[index]
            self.tables.append(Table(t.kind, t.low, t.high, [None] * t.low))
            return bytes((t.kind,)) + w.limits(t.low, t.high)
        if kind == 2:
            self.memory = p.memory
            return w.limits(*p.memory)
        valtype, mutable, _ = p.globals[index]
        self.globals.append((valtype, mutable, None))
        return bytes((valtype, mutable))

    # definitions

    def make_memory(self):
        """A memory, in most modules."""
        self.own_memory = self.memory is None and self.rng.random() < 0.92
        if self.own_memory:
            low = self.rng.choice((1, 1, 1, 2))
            self.memory = (low, low + self.rng.randrange(3))

    def make_tables(self):
        """Up to two tables of each kind."""
        self.imported_tables = len(self.tables)
        for kind in self.rng.choice(((FUNC,), (FUNC, FUNC), (FUNC, EXT), (FUNC, EXT, FUNC), (EXT,), ())):
            low = 10 + self.rng.randrange(3)
            self.tables.append(Table(kind, low, self.rng.choice((None, low, low + 3)), [None] * low))

    def make_globals(self):
        """The fuel and some more."""
        self.imported_globals = len(self.globals)
        self.fuel = len(self.globals)
        self.globals.append((I32, 1, w.i32(FUEL)))
        for _ in range(self.rng.randrange(6)):
            valtype = self.rng.choice(NUMBERS if self.rng.random() < 0.8 else ALL_TYPES)
            self.globals.append((valtype, int(self.rng.random() < 0.8), self.initial(valtype)))

    def initial(self, valtype):
        """A constant expression: a constant, an imported global, at times arithmetic."""
        fixed = [i for i, g in enumerate(self.globals[: self.imported_globals]) if g[:2] == (valtype, 0)]
        if fixed and self.rng.random() < 0.7:
            return b"\x23" + uleb(self.rng.choice(fixed))
        out = bytearray()
        encode(const(valtype, operators.value(self.rng, valtype) if valtype in NUMBERS else 0), out)
        if valtype in (I32, I64) and self.rng.random() < 0.3:
            encode(const(valtype, operators.value(self.rng, valtype)), out)
            out.append(self.rng.choice((0x6A, 0x6B, 0x6C)) + (18 if valtype == I64 else 0))
        return bytes(out)

    def fill_tables(self):
        """What active segments will put into the own tables: a function, or None for null, for each place."""
        for table in self.tables[self.imported_tables :]:
            if table.kind == FUNC:
                table.items[:] = [self.rng.choice((None, *range(len(self.functions)))) for _ in range(table.low)]

    def element_segment(self):
        """A segment that is not needed by `fill_tables`: passive or declarative."""
        kind = self.rng.choice((FUNC, FUNC, EXT))
        count = self.rng.randrange(8)
        items = [None if kind == EXT or self.rng.random() < 0.2 else self.rng.randrange(len(self.functions)) for _ in range(count)]
        return Segment(self.rng.choice((1, 1, 1, 2)), kind, items, 0, 0)

    def data_segment(self):
        """Active or passive bytes."""
        items = self.rng.randbytes(self.rng.randrange(40))
        mode = int(self.memory is None or self.rng.random() < 0.6)
        return Segment(mode, 0, items, 0, self.rng.choice((0, 8, 100, 4096, 65536 - len(items))))

    # exports

    def make_exports(self, own):
        """Entries, a dump of the globals, and everything by its index for another module to import."""
        if self.rng.random() < 0.1:
            self.start = self.add(Function(self, b"", b"", 40).make(3))
        for i in range(own):
            self.entry(i)
        self.add_dump()
        for i in range(self.imported, self.imported + own):
            self.exports[f"f{i}"] = (0, i)
        for i in range(len(self.tables)):
            self.exports[f"t{i}"] = (1, i)
        if self.memory:
            self.exports["m"] = (2, 0)
        for i in range(len(self.globals)):
            if i != self.fuel:
                self.exports[f"g{i}"] = (3, i)

    def add(self, function):
        """A further function, made already; returns its index."""
        self.functions.append((bytes(function.params), bytes(function.results)))
        self.bodies.append(function)
        return len(self.functions) - 1

    def written(self, body, params, results):
        """A `Function` with the body given."""
        function = Function(self, params, results, 0)
        function.body = body
        return function

    def entry(self, own):
        """Export e`own`, which calls own function number `own` with its arguments and results turned into integers."""
        index = self.imported + own
        params, results = self.functions[index]
        taken = bytes(AS_INT[t][0] if t in AS_INT else t for t in params if t != FUNC)
        given = bytes(AS_INT[t][0] if t in AS_INT else I32 if t == FUNC else t for t in results)
        arguments, at = [], 0
        for t in params:
            arguments.append(const(FUNC, 0) if t == FUNC else as_float(t, Node(0x20, imm=uleb(at))))
            at += t != FUNC
        body = [Node(0x24, kids=[const(I32, FUEL)], imm=uleb(self.fuel)), Node(0x10, results, arguments, uleb(index))]
        body += [Node(0x21, imm=uleb(len(taken) + i)) for i in reversed(range(len(results)))]
        body += [as_int(t, Node(0x20, imm=uleb(len(taken) + i))) for i, t in enumerate(results)]
        number = self.add(self.written(body, taken, given))
        self.bodies[-1].locals += results
        self.exports[f"e{own}"] = (0, number)
        self.entries.append((f"e{own}", taken))

    def add_dump(self):
        """Export d: all globals, as integers."""
        body = [as_int(t, Node(0x23, imm=uleb(i)), True) for i, (t, _, _) in enumerate(self.globals)]
        results = bytes(AS_INT[t][0] if t in AS_INT else I32 if t in (FUNC, EXT) else t for t, _, _ in self.globals)
        self.exports["d"] = (0, self.add(self.written(body, b"", results)))

    # the binary

    def encode(self):
        """The module, as bytes."""
        codes = [self.code(f) for f in self.bodies]
        for f in self.functions:
            self.type_index(*f)
        out = bytearray(b"\0asm\x01\0\0\0")

        def add(number, items):
            if items:
                out.extend(w.section(number, w.vector(items)))

        add(1, [b"\x60" + w.vector([bytes((t,)) for t in p]) + w.vector([bytes((t,)) for t in r]) for p, r in self.types])
        add(2, [w.name(m) + w.name(n) + bytes((k,)) + d for m, n, k, d in self.imports])
        add(3, [uleb(self.type_index(*f)) for f in self.functions[self.imported :]])
        add(4, [bytes((t.kind,)) + w.limits(t.low, t.high) for t in self.tables[self.imported_tables :]])
        add(5, [w.limits(*self.memory)] if self.own_memory else [])
        add(6, [bytes((t, mutable)) + init + b"\x0b" for t, mutable, init in self.globals[self.imported_globals :]])
        add(7, [w.name(n) + bytes((k,)) + uleb(i) for n, (k, i) in self.exports.items()])
        if self.start is not None:
            out.extend(w.section(8, uleb(self.start)))
        add(9, [encode_element(s) for s in self.elems + self.active_elements()])
        if self.datas:
            out.extend(w.section(12, uleb(len(self.datas))))
        add(10, codes)
        add(11, [encode_data(s) for s in self.datas])
        return bytes(out)

    def code(self, f):
        """One function's entry of the code section."""
        body = bytearray()
        for node in f.body:
            encode(node, body)
        return w.function([(1, t) for t in f.locals[len(f.params) :]], bytes(body))

    def active_elements(self):
        """The segments that `fill_tables` promised, and a declarative one that names every function."""
        found = [Segment(0, FUNC, t.items, i, 0) for i, t in enumerate(self.tables) if i >= self.imported_tables and t.kind == FUNC]
        return [*found, Segment(2, FUNC, list(range(len(self.functions))), 0, 0)]


def as_float(valtype, node):
    """An integer as the float of that pattern."""
    return Node(AS_INT[valtype][2], kids=[node]) if valtype in AS_INT else node


def as_int(valtype, node, all_references=False):
    """A float as its pattern, a funcref as whether it is null."""
    if valtype == FUNC or (valtype == EXT and all_references):
        return Node(0xD1, kids=[node])
    return Node(AS_INT[valtype][1], kids=[node]) if valtype in AS_INT else node


def encode_element(s):
    """An element segment in one of its eight forms, the plain ones where no item is null."""
    plain = s.kind == FUNC and None not in s.items and len(s.items) % 2 == 0
    low = {0: 2 if s.table or len(s.items) % 3 else 0, 1: 1, 2: 3}[s.mode]
    out = bytes((low if plain else low | 4,)) + (uleb(s.table) if low == 2 else b"")
    out += b"" if s.mode else w.i32(s.offset) + b"\x0b"
    if plain:
        return out + (b"\0" if low else b"") + w.vector([uleb(i) for i in s.items])
    items = [(b"\xd0" + bytes((s.kind,)) if i is None else b"\xd2" + uleb(i)) + b"\x0b" for i in s.items]
    return out + (bytes((s.kind,)) if low else b"") + w.vector(items)


def encode_data(s):
    """A data segment, active in memory 0 or passive."""
    head = b"\x01" if s.mode else b"\0" + w.i32(s.offset) + b"\x0b" if len(s.items) % 3 else b"\x02\0" + w.i32(s.offset) + b"\x0b"
    return head + uleb(len(s.items)) + s.items
