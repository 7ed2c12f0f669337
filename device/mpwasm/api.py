"""Embedding, in the manner of the WebAssembly JavaScript API and wasmtime-py: modules, instances, exports as attributes.

module = Module.from_file("add.wasm")
instance = Instance(module, {"env": {"log": print}})
instance.exports.add(2, 3)

Numbers are Python's own: i32 and i64 are signed ints, f32 and f64 are floats (exact where Python's floats are doubles; on boards whose
floats are single an f64 is rounded, and `Instance.raw.call` gives its bits), a null reference is None. docs/embedding.md has examples.
"""

import io
import struct

from mpwasm.compat import const
from mpwasm.errors import Exhausted, Invalid, Malformed, Trap, Unlinkable, WasmError
from mpwasm.wasm.instance import Instance as Raw
from mpwasm.wasm.load import load_module

"""Names that programs on a board use, spelt out so that they are kept as they are there:
Module from_bytes from_file imports exports Instance raw call memory_limit frame_limit Memory read write size grow Global value
WasmError Malformed Invalid Unlinkable Trap Exhausted code detail backtrace"""

__all__ = ("Exhausted", "Instance", "Invalid", "Malformed", "Memory", "Module", "Trap", "Unlinkable", "WasmError")

_F32 = const(0x7D)
_F64 = const(0x7C)
_KINDS = ("function", "table", "memory", "global")
_TYPES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x70: "funcref", 0x6F: "externref"}


def to_bits(valtype, value):
    """A Python number as the engine takes it: floats as the bits of their type."""
    if valtype == _F32 or valtype == _F64:
        return int.from_bytes(struct.pack("<f" if valtype == _F32 else "<d", value), "little")
    return value


def to_python(valtype, value):
    """The engine's value as a Python number: bits of floats as floats, ints signed."""
    if value is None:
        return None
    if valtype == _F32:
        return struct.unpack("<f", (value & 0xFFFFFFFF).to_bytes(4, "little"))[0]
    if valtype == _F64:
        return struct.unpack("<d", (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little"))[0]
    if valtype == 0x7F:
        return (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
    if valtype == 0x7E:
        return (value & 0xFFFFFFFFFFFFFFFF ^ 1 << 63) - (1 << 63)
    return value


class Module:
    """A module, read and validated. Raises `Malformed` or `Invalid`, with `code` and byte `offset`."""

    def __init__(self, stream):
        self.raw = load_module(stream)

    @classmethod
    def from_bytes(cls, data):
        """The module in `data`."""
        return cls(io.BytesIO(data))

    @classmethod
    def from_file(cls, path):
        """The module in the file at `path`, read in small pieces."""
        with open(path, "rb") as file:
            return cls(file)

    def _type(self, kind, what):
        if kind:
            return None
        params, results = self.raw.types[what]
        return tuple([_TYPES[t] for t in params]), tuple([_TYPES[t] for t in results])

    @property
    def imports(self):
        """What it wants: a list of (module, name, kind, type); the type of a function is (parameters, results), else None."""
        return [(where, name, _KINDS[kind], self._type(kind, what)) for where, name, kind, what in self.raw.imports]

    @property
    def exports(self):
        """What it gives: a list of (name, kind, type)."""
        found = []
        for name in self.raw.exports:
            kind, index = self.raw.exports[name]
            found.append((name, _KINDS[kind], None if kind else self._type(0, self.raw.funcs[index])))
        return found


class Memory:
    """A linear memory: ``memory[4]``, ``memory[0:5]`` (bytes), assignment to both, `read`, `write`, `size`, `grow`. Traps out of bounds."""

    def __init__(self, raw):
        self.raw = raw

    def __len__(self):
        return self.raw.pages * self.raw.page

    def read(self, start, stop):
        """The bytes from `start` up to `stop`."""
        data = bytearray(stop - start)
        self.raw.load(start, data)
        return bytes(data)

    def write(self, data, start):
        """Copy `data` to `start`."""
        self.raw.store(start, data)

    def size(self):
        """Pages of 64 KiB."""
        return self.raw.pages

    def grow(self, pages):
        """Add pages; the size before, or -1."""
        return self.raw.grow(pages)

    def _bounds(self, index):
        return index.start or 0, len(self) if index.stop is None else index.stop

    def __getitem__(self, index):
        if isinstance(index, int):
            return self.read(index, index + 1)[0]
        start, stop = self._bounds(index)
        return self.read(start, stop)

    def __setitem__(self, index, value):
        if isinstance(index, int):
            return self.write(bytes((value,)), index)
        start, stop = self._bounds(index)
        if len(value) != stop - start:
            raise ValueError("as many bytes as the slice has")
        self.write(value, start)


class Global:
    """A global; `value` can be set where it is mutable."""

    def __init__(self, raw):
        self.raw = raw

    @property
    def value(self):
        """The value now."""
        return to_python(self.raw[1], self.raw[0])

    @value.setter
    def value(self, value):
        if not self.raw[2]:
            raise ValueError("immutable global")
        bits = to_bits(self.raw[1], value)
        wide = 64 if self.raw[1] in (0x7E, _F64) else 32
        self.raw[0] = (bits & (1 << wide) - 1 ^ 1 << wide - 1) - (1 << wide - 1) if isinstance(bits, int) else bits


class Function:
    """An exported function: call it with as many numbers as it has parameters; None, the result, or a tuple of several."""

    def __init__(self, instance, name, raw):
        self.instance = instance
        self.name = name
        self.raw = raw

    def __call__(self, *arguments):
        params, results = self.raw[4]
        if len(arguments) != len(params):
            raise TypeError("%s takes %d arguments" % (self.name, len(params)))
        inst = self.instance.raw
        outer = (inst.frames, inst.func, inst.pc, inst.fp, inst.called, inst.after) if inst.func else None
        if outer:  # called by a host function that the instance called: on frames of its own
            inst.frames = [0] * 64
        try:
            inst.begin(self.name, *[to_bits(t, value) for t, value in zip(params, arguments)])
            inst.finish()
            values = tuple([to_python(t, value) for t, value in zip(results, inst.results)])
        finally:
            inst.func = None
            if outer:
                inst.frames, inst.func, inst.pc, inst.fp, inst.called, inst.after = outer
        return values if len(values) > 1 else values[0] if values else None


class Exports:
    """What an instance exports, as attributes, as items, and as a list of names."""

    def __init__(self, instance):
        self._instance = instance

    def __getattr__(self, name):
        inst = self._instance.raw
        kind, _ = inst.module.exports.get(name, (-1, 0))
        if kind < 0:
            raise AttributeError(name)
        raw = inst.export(name)
        if kind == 0:
            return Function(self._instance, name, raw)
        return Memory(raw) if kind == 2 else Global(raw) if kind == 3 else raw

    def __getitem__(self, name):
        try:
            return self.__getattr__(name)
        except AttributeError:
            raise KeyError(name) from None

    def __contains__(self, name):
        return name in self._instance.raw.module.exports

    def __iter__(self):
        return iter(list(self._instance.raw.module.exports))


class Instance:
    """A module made ready to run; its start function has run. `raw` is the engine's own instance (see `mpwasm.wasm.instance`).

    `imports` is {module: {name: value}}: a Python callable for a function, another instance's export for anything, a number for an immutable
    global; or a callable as the engine takes it, such as `mpwasm.wasi.resolver.make_resolver` makes. A host function gets and returns Python
    numbers, by the types that the module declares. `memory_limit` bounds the bytes committed, `frame_limit` the words of all frames.
    Raises `Unlinkable` naming the import, and `Trap`.
    """

    def __init__(self, module, imports=None, memory_limit=1 << 26, frame_limit=4096):
        self.given = imports or {}
        resolve = imports if callable(imports) else self._resolve
        self.raw = Raw(module.raw, resolve, max_memory=memory_limit, max_frames=frame_limit)
        self.exports = Exports(self)
        self.raw.start()

    def _resolve(self, where, name, params, results):
        found = self.given.get(where, {}).get(name)
        if isinstance(found, (Function, Memory, Global)):
            return found.raw
        if params is None:
            return to_bits(results[0], found) if isinstance(found, (int, float)) else found
        return _adapted(found, params, results) if callable(found) else found


def _adapted(function, params, results):
    """`function` as the engine calls it: without the instance, with Python numbers."""

    def call(inst, *bits):
        value = function(*[to_python(t, each) for t, each in zip(params, bits)])
        return to_bits(results[0], value) if results else None

    return call
