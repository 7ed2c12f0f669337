"""Generates statements, and whole function bodies of them."""

from wasmbuild import uleb

from tests.fuzz import operators
from tests.fuzz.expressions import RARELY, Expressions
from tests.fuzz.tree import EXT, FUNC, I32, NUMBERS, Node, const, seq

ALL_TYPES = (*NUMBERS, FUNC, EXT)


class Statements(Expressions):
    """The statements of one function: what leaves nothing on the stack."""

    def statements(self, depth):
        """A few of them."""
        if self.budget <= 0:
            return []
        return [self.statement(depth) for _ in range(self.rng.choice((0, 1, 1, 2, 3)))]

    def statement(self, depth):
        """One."""
        self.budget -= 1
        if self.chance(2 * RARELY):
            return self.diverge(b"", depth - 1)
        makers = (self.local_set, self.global_set, self.store, self.drop, self.blocks, self.counted, self.call, self.table, self.bulk, self.leave)
        weights = (20, 7, 14, 3, 9, 4 if depth > 1 else 0, 8, 6, 6, 5)
        return self.rng.choices(makers, weights)[0](depth - 1) or Node(0x01)

    def a_type(self):
        """Some value type, a number mostly."""
        return self.rng.choice(NUMBERS if self.chance(0.85) else ALL_TYPES)

    def local_set(self, depth):
        """local.set."""
        valtype = self.a_type()
        value = self.expr(valtype, depth + 2)
        return Node(0x21, kids=[value], imm=uleb(self.some_local(valtype, True)))

    def global_set(self, depth):
        """global.set, never of the fuel."""
        found = [i for i, g in enumerate(self.module.globals) if g[1] and i != self.module.fuel]
        if not found:
            return None
        i = self.rng.choice(found)
        return Node(0x24, kids=[self.expr(self.module.globals[i][0], depth + 2)], imm=uleb(i))

    def store(self, depth):
        """A store."""
        if not self.module.memory:
            return None
        op, valtype, align = self.rng.choice(operators.STORES)
        at, offset = self.address(depth, 1 << align)
        return Node(op, kids=[at, self.expr(valtype, depth + 1)], imm=self.memarg(align, offset))

    def drop(self, depth):
        """drop."""
        return Node(0x1A, kids=[self.expr(self.a_type(), depth + 1)])

    def blocks(self, depth):
        """A structure without results; at times an if without else."""
        if self.chance(0.3):
            return Node(0x04, kids=[self.condition(depth + 1)], imm=b"\x40", bodies=[self.inside(b"", b"", b"", depth)])
        return self.structured(b"", depth)

    def leave(self, depth):
        """br_if out of, or back to the head of, something around."""
        found = self.branch_targets(b"")
        return Node(0x0D, kids=[self.condition(depth + 1)], imm=uleb(self.rng.choice(found))) if found else None

    def counted(self, depth):
        """A loop that counts a local of its own up or down, as compilers write it: no branch goes to its head but its own."""
        index = self.new_local(I32, True)
        rounds = 1 + self.rng.randrange(4)
        self.labels.append(None)
        body = self.statements(depth)
        self.labels.pop()
        up = self.chance(0.5)
        step = (0x6A, 1) if up else self.rng.choice(((0x6B, 1), (0x6A, 0xFFFFFFFF)))
        again = Node(0x22, (I32,), [Node(step[0], (I32,), [self.get(index), const(I32, step[1])])], uleb(index))
        if up:
            again = Node(self.rng.choice((0x47, 0x48, 0x49)), (I32,), [again, const(I32, rounds)])
        loop = Node(0x03, imm=b"\x40", bodies=[[*body, Node(0x0D, kids=[again], imm=b"\0")]])
        return seq([Node(0x21, kids=[const(I32, 0 if up else rounds)], imm=uleb(index)), loop])

    def call(self, depth):
        """A call whose results go to locals or away."""
        results = {bytes(f[1]) for f in self.module.functions}
        made = self.call_of(sorted(results), depth)
        if not made or not made.types:
            return made
        takers = [made]
        for t in reversed(made.types):
            takers.append(Node(0x1A) if self.chance(0.3) else Node(0x21, imm=uleb(self.some_local(t, True))))
        return seq(takers)

    def table(self, depth):
        """table.set."""
        if not self.module.tables:
            return None
        i = self.rng.randrange(len(self.module.tables))
        return Node(0x26, kids=[self.element_index(), self.expr(self.module.tables[i].kind, depth + 1)], imm=uleb(i))

    # bulk operations

    def bulk(self, depth):
        """fill, copy, init and drop of memories and tables."""
        choices = [self.table_fill, self.table_copy, self.table_init, self.drop_segment] if self.module.tables else []
        if self.module.memory:
            choices += [self.memory_fill, self.memory_copy, self.memory_init]
        return self.rng.choice(choices)(depth) if choices else None

    def length(self, top):
        """How many: less than `top`, seldom anything."""
        return self.expr(I32, 1) if self.chance(RARELY) else self.small(top)

    def memory_fill(self, depth):
        """memory.fill."""
        return Node(0xFC0B, kids=[self.small(0x8000), self.expr(I32, depth), self.length(0x400)], imm=b"\0")

    def memory_copy(self, depth):
        """memory.copy, overlapping at times."""
        return Node(0xFC0A, kids=[self.small(0x400), self.small(self.rng.choice((0x400, 0x8000))), self.length(0x400)], imm=b"\0\0")

    def memory_init(self, depth):
        """memory.init."""
        if not self.module.datas:
            return None
        i, size = self.segment(self.module.datas)
        return Node(0xFC08, kids=[self.small(0x4000), const(I32, self.rng.randrange(size + 1) // 2), self.length_within(size)], imm=uleb(i) + b"\0")

    def length_within(self, size):
        """A length that keeps the second half of a segment of `size` in bounds."""
        return self.length(2) if size >= 4 else const(I32, 0)

    def segment(self, segments):
        """(index, size) of a segment; one that is passive where there is one, for the others are dropped already."""
        passive = [i for i, s in enumerate(segments) if s.mode == 1]
        i = self.rng.choice(passive) if passive else self.rng.randrange(len(segments))
        return i, len(segments[i].items) if segments[i].mode == 1 else 0

    def drop_segment(self, depth):
        """data.drop or elem.drop, of the others mostly: what is dropped is lost to init."""
        op, segments = self.rng.choice(((0xFC09, self.module.datas), (0xFC0D, self.module.elems)))
        found = [i for i, s in enumerate(segments) if s.mode != 1 or self.chance(0.1)]
        return Node(op, imm=uleb(self.rng.choice(found))) if found else None

    def table_fill(self, depth):
        """table.fill."""
        i = self.rng.randrange(len(self.module.tables))
        return Node(0xFC11, kids=[self.small(8), self.expr(self.module.tables[i].kind, depth), self.length(2)], imm=uleb(i))

    def table_copy(self, depth):
        """table.copy between tables of one kind."""
        i = self.rng.randrange(len(self.module.tables))
        alike = [j for j, table in enumerate(self.module.tables) if table.kind == self.module.tables[i].kind]
        return Node(0xFC0E, kids=[self.small(4), self.small(4), self.length(4)], imm=uleb(i) + uleb(self.rng.choice(alike)))

    def table_init(self, depth):
        """table.init."""
        i = self.rng.randrange(len(self.module.tables))
        found = [j for j, s in enumerate(self.module.elems) if s.kind == self.module.tables[i].kind]
        if not found:
            return None
        passive = [j for j in found if self.module.elems[j].mode == 1]
        j = self.rng.choice(passive or found)
        size = len(self.module.elems[j].items) if passive else 0
        return Node(0xFC0C, kids=[self.small(8), const(I32, self.rng.randrange(size + 1) // 2), self.length_within(size)], imm=uleb(j) + uleb(i))


class Function(Statements):
    """One function: `body` and, when it is made, its `locals`."""

    def make(self, depth):
        """The whole body: the fuel's guard, statements, the results."""
        fuel = self.module.fuel
        early = [const(t, 0) for t in self.results] + [Node(0x0F)]
        guard = Node(0x04, kids=[Node(0x4C, (I32,), [Node(0x23, (I32,), imm=uleb(fuel)), const(I32, 0)])], imm=b"\x40", bodies=[early])
        burn = Node(0x24, kids=[Node(0x6B, (I32,), [Node(0x23, (I32,), imm=uleb(fuel)), const(I32, 1)])], imm=uleb(fuel))
        self.body = [guard, burn]
        for _ in range(1 + self.rng.randrange(6)):
            self.body.append(self.statement(depth))
        if self.results:
            self.body.append(self.exprs(self.results, depth))
        return self
