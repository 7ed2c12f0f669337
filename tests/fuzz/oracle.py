"""Runs a case in wasmtime, with NaNs canonical as ours are; the outcome has the form that `ours` describes."""

import hashlib

import wasmtime

from tests.fuzz.ours import EXTERNALS, MASKS, answer
from tests.fuzz.tree import EXT, I32, I64

FUEL = 200_000_000
KINDS = {
    wasmtime.TrapCode.UNREACHABLE: "unreachable",
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: "memory",
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: "divide",
    wasmtime.TrapCode.INTEGER_OVERFLOW: "overflow",
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: "conversion",
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: "table",
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: "null",
    wasmtime.TrapCode.BAD_SIGNATURE: "signature",
}
TYPES = {"i32": I32, "i64": I64, "externref": EXT, "anyref": EXT}  # wasmtime-py spells externref so


def make_engine():
    """An engine with the features that ours has."""
    config = wasmtime.Config()
    config.cranelift_nan_canonicalization = True
    config.cranelift_opt_level = "none"
    config.parallel_compilation = False
    config.consume_fuel = True
    for feature in ("simd", "relaxed_simd", "multi_memory", "memory64", "threads", "tail_call", "exceptions", "function_references", "gc"):
        setattr(config, "wasm_" + feature, False)
    return wasmtime.Engine(config)


ENGINE = make_engine()


def valid(raw):
    """Whether wasmtime takes the bytes for a valid module."""
    try:
        wasmtime.Module.validate(ENGINE, raw)
    except wasmtime.WasmtimeError:
        return False
    return True


def plain(valtype, value):
    """A value of wasmtime as [kind, text]."""
    if valtype == EXT:
        return ["r", "" if value is None else value.number]
    return ["i", "%x" % (value & MASKS[valtype])]


def signed(valtype, value):
    """A pattern as wasmtime-py wants it."""
    bits = 32 if valtype == I32 else 64
    return value - (1 << bits) if value >> (bits - 1) else value


def mark(item):
    """What a table's item is, as one character."""
    item = item.value if isinstance(item, wasmtime.Val) else item
    return "0" if item is None else "f" if isinstance(item, wasmtime.Func) else item.number


class Run:
    """One case under way."""

    def __init__(self, case):
        self.case, self.trace, self.instances = case, [], []
        self.store = wasmtime.Store(ENGINE)
        self.store.set_fuel(FUEL)

    def host(self, name, kind):
        """The host function of type `kind`."""
        params, results = [TYPES[str(t)] for t in kind.params], [TYPES[str(t)] for t in kind.results]

        def function(*arguments):
            given = [plain(t, a) for t, a in zip(params, arguments)]
            self.trace.append([name, given])
            if not results:
                return None
            value = answer(given, results[0])
            return EXTERNALS.get(value) if results[0] == EXT else signed(results[0], value)

        return wasmtime.Func(self.store, kind, function)

    def instantiate(self, raw):
        """One instance."""
        module = wasmtime.Module(ENGINE, raw)
        imports = []
        for row in module.imports:
            imports.append(self.instances[0][0].exports(self.store)[row.name] if row.module == "first" else self.host(row.name, row.type))
        self.instances.append((wasmtime.Instance(self.store, module, imports), module))

    def outcome(self):
        """Everything that can be seen of it."""
        calls = []
        try:
            for raw in self.case["wasm"]:
                self.instantiate(raw)
        except wasmtime.Trap as trap:
            return {"calls": [["trap", KINDS.get(trap.trap_code, str(trap))]], "state": [], "trace": self.trace}
        for index, name, arguments in self.case["calls"]:
            calls.append(self.call(self.instances[index][0], name, arguments))
        return {"calls": calls, "state": [self.state(*pair) for pair in self.instances], "trace": self.trace}

    def call(self, instance, name, arguments):
        """One call."""
        function = instance.exports(self.store)[name]
        kind = function.type(self.store)
        types = [TYPES[str(t)] for t in kind.params]
        given = [EXTERNALS.get(a[1]) if a[0] == "r" else signed(t, int(a[1], 16)) for t, a in zip(types, arguments)]
        try:
            results = function(self.store, *given)
        except wasmtime.Trap as trap:
            return ["trap", KINDS.get(trap.trap_code, str(trap))]
        kinds = kind.results
        results = [] if not kinds else [results] if len(kinds) == 1 else results
        return ["ok", [plain(TYPES[str(t)], r) for t, r in zip(kinds, results)]]

    def state(self, instance, module):
        """Globals, memory and tables in the end; an imported table comes before the own ones, as in ours."""
        exports = instance.exports(self.store)
        found = {row.name: exports[row.name] for row in module.exports}
        tables = [found[name] for name in sorted((n for n in found if n[0] == "t"), key=lambda n: int(n[1:]))]
        texts = ["".join(mark(t.get(self.store, i)) for i in range(t.size(self.store))) for t in tables]
        return [self.call(instance, "d", []), self.digest(found["m"]) if "m" in found else None, texts]

    def digest(self, memory):
        """Size in pages and SHA-256 of all of `memory`."""
        size = memory.data_len(self.store)
        return [memory.size(self.store), hashlib.sha256(memory.read(self.store, 0, size)).hexdigest()[:16]]


    def close(self):
        """Give all back at once: host functions hold the run, and the store holds them, out of the garbage collector's sight."""
        for _, module in self.instances:
            module.close()
        self.store.close()


def run(case):
    """The outcome of `case` in wasmtime."""
    made = Run(case)
    try:
        return made.outcome()
    finally:
        made.close()
