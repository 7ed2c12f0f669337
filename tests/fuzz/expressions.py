"""Generates expressions: trees that leave values of given types, valid by construction."""

from wasmbuild import sleb, uleb

from tests.fuzz import operators
from tests.fuzz.tree import EXT, F32, FUNC, I32, NUMBERS, PARAM, Node, const, seq

MASKS = (0x7, 0xFF, 0xFFC, 0x7FFF)
EDGES = (0, 1, 3, 255, 256, 4095, 65520, 65528, 65532, 65535)
OFFSETS = (0, 0, 0, 1, 2, 4, 7, 16, 250, 1000, 30000)
FAR = (0xFFF8, 0xFFFF, 0x10000, 0x12345, 0xFFFFFFF0, 0xFFFFFFFF)
RARELY = 0.008


class Expressions:
    """The expressions of one function of `module` (a `modules.ModuleMaker`); `budget` bounds its nodes.

    `labels` holds for each label around the types its branches take, None where a branch would never end.
    """

    def __init__(self, module, params, results, budget):
        self.module, self.rng = module, module.rng
        self.locals = bytearray(params)
        self.params, self.results = params, results
        self.reserved = set()
        self.labels = [bytes(results)]
        self.budget = budget

    def chance(self, probability):
        """True as often as `probability` says."""
        return self.rng.random() < probability

    def new_local(self, valtype, reserved=False):
        """A fresh local; a reserved one is written by nothing else."""
        self.locals.append(valtype)
        if reserved:
            self.reserved.add(len(self.locals) - 1)
        return len(self.locals) - 1

    def some_local(self, valtype, writable=False):
        """A local of that type, perhaps a new one."""
        found = [i for i, t in enumerate(self.locals) if t == valtype and not (writable and i in self.reserved)]
        return self.rng.choice(found) if found and not self.chance(0.15) else self.new_local(valtype)

    def get(self, index):
        """local.get."""
        return Node(0x20, (self.locals[index],), imm=uleb(index))

    def const(self, valtype):
        """Some constant."""
        return const(valtype, operators.value(self.rng, valtype) if valtype in NUMBERS else 0)

    def small(self, top):
        """An i32 below `top` (a power of two)."""
        if self.chance(0.4):
            return const(I32, self.rng.randrange(top))
        return Node(0x71, (I32,), [self.expr(I32, 1), const(I32, top - 1)])

    def leaf(self, valtype):
        """A local, a constant, a global."""
        pick = self.rng.random()
        if pick < 0.45:
            return self.get(self.some_local(valtype))
        if pick < 0.65 or valtype in (FUNC, EXT):
            return self.reference(valtype) if valtype in (FUNC, EXT) else self.const(valtype)
        return self.global_get(valtype) if pick < 0.75 else self.const(valtype)

    def reference(self, valtype):
        """A reference from somewhere."""
        pick = self.rng.random()
        if valtype == FUNC and pick < 0.4:
            return Node(0xD2, (FUNC,), imm=uleb(self.rng.randrange(len(self.module.functions))))
        tables = [i for i, table in enumerate(self.module.tables) if table.kind == valtype]
        if tables and pick < 0.75:
            return Node(0x25, (valtype,), [self.element_index()], uleb(self.rng.choice(tables)))
        return self.global_get(valtype) if pick < 0.85 else const(valtype, 0)

    def element_index(self):
        """An index into a table, seldom out of bounds."""
        return self.expr(I32, 1) if self.chance(RARELY) else self.small(8)

    def global_get(self, valtype):
        """global.get, else a constant."""
        found = [i for i, g in enumerate(self.module.globals) if g[0] == valtype]
        if not found:
            return self.const(valtype)
        return Node(0x23, (valtype,), imm=uleb(self.rng.choice(found)))

    # one value

    def expr(self, valtype, depth):
        """An expression of one type."""
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.leaf(valtype)
        if self.chance(RARELY):
            return self.diverge(bytes((valtype,)), depth - 1)
        makers = (self.numeric, self.load, self.select, self.tee, self.structure, self.called, self.branching, self.leafy, self.odd)
        maker = self.rng.choices(makers, (46, 9, 5, 6, 12, 8, 3, 8, 5))[0]
        return maker(valtype, depth - 1)

    def leafy(self, valtype, depth):
        """An end of the tree."""
        return self.leaf(valtype)

    def numeric(self, valtype, depth):
        """A numeric instruction."""
        if valtype not in NUMBERS:
            return self.reference(valtype)
        op = self.rng.choice(operators.BY_RESULT[valtype])
        operands = operators.OPERANDS[op][0]
        kids = [self.expr(t, depth) for t in operands]
        if len(kids) == 2 and self.chance(0.3):
            kids[self.rng.choice((0, 1, 1))] = self.const(operands[1])
        if op in operators.DIVISIONS and not self.chance(0.02):
            kids[1] = self.divisor(valtype, kids[1])
        if op in operators.TRUNCATIONS and not self.chance(0.03):
            kids[0] = self.moderate(operands[0], depth)
        return Node(op, (valtype,), kids)

    def divisor(self, valtype, node):
        """A divisor that is not zero."""
        if node.op in (0x41, 0x42):
            return const(valtype, self.rng.choice((1, 2, 3, 7, 10, 255, 1000, 0x8000, 0x7FFFFFFF)))
        return Node(0x72 if valtype == I32 else 0x84, (valtype,), [node, const(valtype, self.rng.choice((1, 2, 3, 0x80)))])

    def condition(self, depth):
        """What branches ask: a comparison of integers mostly, for which the engine has ops of its own, or its opposite."""
        if self.chance(0.35):
            return self.expr(I32, depth)
        op = self.rng.choice((*range(0x45, 0x50), *range(0x46, 0x50), *range(0x50, 0x5B)))
        kids = [self.expr(t, depth) for t in operators.OPERANDS[op][0]]
        if len(kids) == 2 and self.chance(0.4):
            kids[1] = self.const(operators.OPERANDS[op][0][1])
        made = Node(op, (I32,), kids)
        return Node(0x45, (I32,), [made]) if self.chance(0.15) else made

    def moderate(self, valtype, depth):
        """A float that every truncation takes: from 0 up to 2**30, with a fraction at times."""
        number = Node(0x76, (I32,), [self.expr(I32, depth), const(I32, 2 + self.rng.randrange(20))])
        made = Node(0xB3 if valtype == F32 else 0xB8, (valtype,), [number])
        if not self.chance(0.5):
            return made
        return Node(0x94 if valtype == F32 else 0xA2, (valtype,), [made, const(valtype, 0x3F400000 if valtype == F32 else 0x3FE8000000000000)])

    def address(self, depth, size):
        """An address, and an offset encoded behind the alignment: in bounds mostly."""
        if self.chance(RARELY):
            return self.expr(I32, depth), self.rng.choice(FAR)
        if self.chance(0.03):
            return const(I32, self.rng.randrange(8)), self.rng.choice((0x8000, 0xFFF0))
        if self.chance(0.3):
            at = self.rng.choice(EDGES)
            return const(I32, min(at, 65536 - size)), 0
        return Node(0x71, (I32,), [self.expr(I32, depth), const(I32, self.rng.choice(MASKS))]), self.rng.choice(OFFSETS)

    def memarg(self, align, offset):
        """Alignment (natural or less) and offset."""
        return uleb(self.rng.randrange(align + 1)) + uleb(offset)

    def load(self, valtype, depth):
        """A load."""
        rows = [row for row in operators.LOADS if row[1] == valtype]
        if not rows or not self.module.memory:
            return self.reference(valtype) if not rows else self.leaf(valtype)
        op, _, align = self.rng.choice(rows)
        at, offset = self.address(depth, 1 << align)
        return Node(op, (valtype,), [at], self.memarg(align, offset))

    def select(self, valtype, depth):
        """select, with or without its type."""
        kids = [self.expr(valtype, depth), self.expr(valtype, depth), self.condition(depth)]
        if valtype in NUMBERS and self.chance(0.7):
            return Node(0x1B, (valtype,), kids)
        return Node(0x1C, (valtype,), kids, bytes((1, valtype)))

    def tee(self, valtype, depth):
        """local.tee."""
        value = self.expr(valtype, depth)
        return Node(0x22, (valtype,), [value], uleb(self.some_local(valtype, True)))

    def structure(self, valtype, depth):
        """block, loop or if with a result."""
        return self.structured(bytes((valtype,)), depth)

    def called(self, valtype, depth):
        """A call that gives just this."""
        return self.call_of([bytes((valtype,))], depth) or self.leaf(valtype)

    def branching(self, valtype, depth):
        """br_if with a value that stays where it is not taken."""
        return self.br_if(bytes((valtype,)), depth) or self.leaf(valtype)

    def odd(self, valtype, depth):
        """The i32s that tell of memories, tables and references."""
        if valtype != I32:
            return self.load(valtype, depth)
        pick = self.rng.randrange(6)
        table = self.rng.randrange(len(self.module.tables) or 1)
        if pick < 2 and self.module.memory:
            return Node(0x3F, (I32,), imm=b"\0") if pick else Node(0x40, (I32,), [self.small(2)], b"\0")
        if pick < 4 and self.module.tables:
            kind = self.module.tables[table].kind
            if pick == 2:
                return Node(0xFC10, (I32,), imm=uleb(table))
            return Node(0xFC0F, (I32,), [self.expr(kind, depth), self.small(2)], uleb(table))
        return Node(0xD1, (I32,), [self.expr(self.rng.choice((FUNC, EXT)), depth)])

    # several values

    def exprs(self, types, depth):
        """An expression that leaves values of all of `types`."""
        if len(types) == 1:
            return self.expr(types[0], depth)
        pick = self.rng.random()
        if types and depth > 0 and self.budget > 0 and pick < 0.45:
            made = self.structured(types, depth - 1) if pick < 0.3 else self.call_of([types], depth - 1) or self.br_if(types, depth - 1)
            if made:
                return made
        return seq(self.expr(t, depth) for t in types)

    def call_of(self, wanted, depth):
        """A call, direct or through a table, of a function whose results are one of `wanted`; None where there is none."""
        found = [i for i, f in enumerate(self.module.functions) if bytes(f[1]) in wanted]
        if not found:
            return None
        callee = self.rng.choice(found)
        params, results = self.module.functions[callee]
        arguments = [self.exprs(params, depth - 1)] if params else []
        tables = [i for i, table in enumerate(self.module.tables) if table.kind == FUNC]
        if not tables or self.chance(0.6):
            return Node(0x10, results, arguments, uleb(callee))
        table = self.rng.choice(tables)
        items = self.module.tables[table].items
        places = [i for i, item in enumerate(items) if item is not None and self.module.functions[item] == (params, results)]
        if places and not self.chance(0.01):
            index = const(I32, self.rng.choice(places))
        elif self.chance(0.04):
            index = self.element_index()
        else:
            return Node(0x10, results, arguments, uleb(callee))
        return Node(0x11, results, [*arguments, index], uleb(self.module.type_index(params, results)) + uleb(table))

    def branch_targets(self, types):
        """Depths of the labels whose branches take `types`."""
        return [i for i, taken in enumerate(reversed(self.labels)) if taken is not None and taken == types]

    def br_if(self, types, depth):
        """br_if to a label that takes `types`; None where there is none."""
        found = self.branch_targets(types)
        if not found:
            return None
        kids = [self.exprs(types, depth)] if types else []
        return Node(0x0D, types, [*kids, self.condition(depth)], uleb(self.rng.choice(found)))

    def diverge(self, types, depth):
        """What never goes on, in place of an expression of `types`."""
        pick = self.rng.random()
        depths = [i for i, taken in enumerate(reversed(self.labels)) if taken is not None]
        if pick < 0.03 or not depths:
            return Node(0x00, types)
        if pick < 0.3:
            return Node(0x0F, types, [self.exprs(self.results, depth)] if self.results else [])
        target = self.rng.choice(depths)
        taken = self.labels[-1 - target]
        kids = [self.exprs(taken, depth)] if taken else []
        if pick < 0.6:
            return Node(0x0C, types, kids, uleb(target))
        alike = self.branch_targets(taken)
        targets = [self.rng.choice(alike) for _ in range(1 + self.rng.randrange(5))]
        return Node(0x0E, types, [*kids, self.element_index()], uleb(len(targets) - 1) + b"".join(map(uleb, targets)))

    # blocks with results

    def block_type(self, params, results):
        """A block type: short where it can be."""
        if not params and len(results) < 2 and not self.chance(0.1):
            return bytes(results) or b"\x40"
        return sleb(self.module.type_index(params, results))

    def structured(self, results, depth):
        """A block, a loop or an if with `results`, at times with parameters."""
        params = bytes(self.rng.choice(NUMBERS + (FUNC,)) for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2))))
        kind = self.rng.choices((0x02, 0x03, 0x04), (4, 3, 5))[0]
        kids = [self.exprs(params, depth)] if params else []
        if kind == 0x03:
            return Node(0x02, results, kids, self.block_type(params, results), [[self.loop(params, results, depth)]])
        imm = self.block_type(params, results)
        if kind == 0x04:
            kids.append(self.condition(depth))
        bodies = [self.inside(results, params, results, depth) for _ in range(2 if kind == 0x04 else 1)]
        if kind == 0x04 and params == results and self.chance(0.5):
            bodies.pop()
        return Node(kind, results, kids, imm, bodies)

    def inside(self, taken, params, results, depth):
        """The body of a block whose label takes `taken`."""
        self.labels.append(taken)
        body = self.consume(params)
        body += self.statements(depth)
        if results:
            body.append(self.exprs(results, depth))
        self.labels.pop()
        return body

    def consume(self, params):
        """Nodes that take a block's parameters from the stack, the last one first."""
        return [Node(0x21, kids=[Node(PARAM, (t,))], imm=uleb(self.some_local(t, True))) for t in reversed(params)]

    def loop(self, params, results, depth):
        """A loop, in a block of the same results, that each round takes fuel from the module's counter."""
        self.labels.append(bytes(results))
        exit_early = [const(t, 0) for t in results] + [Node(0x0C, imm=uleb(2))]
        fuel = self.module.fuel
        guard = Node(0x04, kids=[Node(0x4C, (I32,), [Node(0x23, (I32,), imm=uleb(fuel)), const(I32, 0)])], imm=b"\x40", bodies=[exit_early])
        burn = Node(0x24, kids=[Node(0x6B, (I32,), [Node(0x23, (I32,), imm=uleb(fuel)), const(I32, 1)])], imm=uleb(fuel))
        body = [guard, burn, *self.inside(bytes(params), params, results, depth)]
        self.labels.pop()
        return Node(0x03, results, [Node(PARAM, (t,)) for t in params], self.block_type(params, results), [body])
