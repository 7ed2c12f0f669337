"""Reads a .wasm file for people: sections, function names, and which features its instructions and sections use.

Unlike the board's loader it validates nothing and never gives up: what follows a fault it can't pass is left out. Formats: WebAssembly
2.0, chapter 5; the name section: appendix "Custom Sections"; feature names: the proposals' and `clang -m<feature>`.
"""

from dataclasses import dataclass, field

SECTIONS = ("custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag")
VALUE_TYPES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128", 0x70: "funcref", 0x6F: "externref"}

# Immediates by opcode: u = unsigned LEB128, s = signed LEB128, b = block type, m = memory argument, 1/4/8 = that many bytes,
# t = br_table, v = vector of value types. Opcodes that are not listed have none.
_IMMEDIATES = {
    0x02: "b", 0x03: "b", 0x04: "b", 0x06: "b", 0x07: "u", 0x08: "u", 0x09: "u", 0x0C: "u", 0x0D: "u", 0x0E: "t", 0x10: "u", 0x11: "uu",
    0x12: "u", 0x13: "uu", 0x14: "u", 0x15: "u", 0x18: "u", 0x1C: "v", 0x20: "u", 0x21: "u", 0x22: "u", 0x23: "u", 0x24: "u", 0x25: "u",
    0x26: "u", 0x3F: "u", 0x40: "u", 0x41: "s", 0x42: "s", 0x43: "4", 0x44: "8", 0xD0: "s", 0xD2: "u", 0xD5: "u", 0xD6: "u",
    **dict.fromkeys(range(0x28, 0x3F), "m"),
}  # fmt: skip
_BULK = {8: "uu", 9: "u", 10: "uu", 11: "u", 12: "uu", 13: "u", 14: "uu", 15: "u", 16: "u", 17: "u"}

_FLOATS = {0x2A, 0x2B, 0x38, 0x39, 0x43, 0x44, *range(0x5B, 0x67), *range(0x8B, 0xA7), *range(0xA8, 0xAC), *range(0xAE, 0xC0)}
_I64 = {0x29, *range(0x30, 0x36), 0x37, *range(0x3C, 0x3F), 0x42, *range(0x50, 0x5B), *range(0x79, 0x8B), 0xA7, 0xAC, 0xAD, 0xC2, 0xC3, 0xC4}
_EXCEPTIONS = {0x06, 0x07, 0x08, 0x09, 0x0A, 0x18, 0x19, 0x1F}


class Cut(Exception):
    """The bytes end, or mean nothing we know, at `offset`."""

    def __init__(self, offset):
        super().__init__(offset)
        self.offset = offset


class Bytes:
    """A view of `data` that is read from `at` to `end`."""

    def __init__(self, data, at=0, end=None):
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def byte(self):
        """The next byte."""
        if self.at >= self.end:
            raise Cut(self.at)
        self.at += 1
        return self.data[self.at - 1]

    def leb(self):
        """An LEB128 number, unsigned, of at most ten bytes."""
        value = shift = 0
        while shift < 70:
            part = self.byte()
            value |= (part & 127) << shift
            shift += 7
            if part < 128:
                return value
        raise Cut(self.at)

    def take(self, size):
        """The next `size` bytes."""
        if self.at + size > self.end:
            raise Cut(self.at)
        self.at += size
        return self.data[self.at - size : self.at]

    def name(self):
        """A name; bytes that are not UTF-8 are shown as they can be."""
        return self.take(self.leb()).decode(errors="replace")


@dataclass
class Binary:
    """What was found: {section name: bytes}, {function index: name}, {feature: byte offset of its first use}, bytes of function bodies."""

    sections: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    features: dict = field(default_factory=dict)
    bodies: list = field(default_factory=list)  # (offset, end) of each own function
    calls: dict = field(default_factory=dict)  # {function: set of functions it calls directly}
    imported: int = 0

    def saw(self, feature, offset):
        """Note a feature at the first place where it is used."""
        self.features.setdefault(feature, offset)

    def function_at(self, offset):
        """Index of the function whose body holds the byte `offset`, or None."""
        for number, (start, end) in enumerate(self.bodies):
            if start <= offset <= end:
                return self.imported + number
        return None

    def label(self, function):
        """A function for people: its name, or its number."""
        return self.names.get(function) or f"function {function}"


def read(data):
    """The `Binary` of the bytes `data`, as far as they can be read."""
    found = Binary()
    source = Bytes(data, 8)
    while source.at < source.end:
        try:
            kind, size = source.byte(), source.leb()
            start, end = source.at, min(source.at + size, source.end)
            source.at = end
            name = SECTIONS[kind] if kind < len(SECTIONS) else f"section {kind}"
            found.sections[name] = found.sections.get(name, 0) + size
            if kind == 13:
                found.saw("exception-handling", start)
            _READERS.get(kind, _nothing)(Bytes(data, start, end), found)
        except Cut:
            continue
    return found


def _nothing(_source, _found):
    """A section that tells no features."""


def _custom(source, found):
    """The name section: function names of its subsection 1."""
    if source.name() != "name":
        return
    while source.at < source.end:
        kind, size = source.byte(), source.leb()
        end = source.at + size
        if kind == 1:
            for _ in range(source.leb()):
                index = source.leb()
                found.names[index] = source.name()
        source.at = end


def _value_type(source, found):
    at = source.at
    kind = VALUE_TYPES.get(source.byte())
    if kind in ("f32", "f64"):
        found.saw("floats", at)
    elif kind == "i64":
        found.saw("i64", at)
    elif kind == "v128":
        found.saw("simd128", at)
    elif kind == "externref":
        found.saw("reference-types", at)
    return kind


def _types(source, found):
    for _ in range(source.leb()):
        at = source.at
        if source.byte() != 0x60:
            found.saw("gc", at)
            raise Cut(at)
        for result in (False, True):
            count = source.leb()
            if result and count > 1:
                found.saw("multivalue", at)
            for _ in range(count):
                _value_type(source, found)


def _limits(source, found, memory):
    at = source.at
    flags = source.byte()
    for bit, feature in ((2, "threads"), (4, "memory64"), (8, "custom-page-sizes")):
        if flags & bit and (memory or bit != 2):
            found.saw(feature, at)
    for _ in range(1 + (flags & 1) + (flags >> 3 & 1)):
        source.leb()


def _imports(source, found):
    for _ in range(source.leb()):
        source.name()
        source.name()
        at = source.at
        kind = source.byte()
        if kind == 0:
            source.leb()
            found.imported += 1
        elif kind == 1:
            source.byte()
            _limits(source, found, False)
        elif kind == 2:
            _limits(source, found, True)
        elif kind == 3:
            _value_type(source, found)
            if source.byte():
                found.saw("mutable-globals", at)
        else:
            found.saw("exception-handling", at)
            raise Cut(at)


def _tables(source, found):
    count = source.leb()
    if count > 1:
        found.saw("reference-types", source.at)
    for _ in range(count):
        _value_type(source, found)
        _limits(source, found, False)


def _memories(source, found):
    count = source.leb()
    if count > 1:
        found.saw("multimemory", source.at)
    for _ in range(count):
        _limits(source, found, True)


def _globals(source, found):
    for _ in range(source.leb()):
        _value_type(source, found)
        source.byte()
        at, ops = source.at, 0
        while (op := source.byte()) != 0x0B:
            _immediates(source, _IMMEDIATES.get(op, ""), found)
            ops += 1
        if ops > 1:
            found.saw("extended-const", at)


def _elements(source, found):
    count, at = source.leb(), source.at
    if count and source.leb() > 0:
        found.saw("bulk-memory", at)


def _code(source, found):
    for _ in range(source.leb()):
        size = source.leb()
        start, end = source.at, source.at + size
        found.bodies.append((start, end))
        try:
            _body(Bytes(source.data, start, min(end, source.end)), found, found.calls.setdefault(found.imported + len(found.bodies) - 1, set()))
        except Cut:
            pass
        source.at = end


def _body(source, found, calls):
    for _ in range(source.leb()):
        source.leb()
        _value_type(source, found)
    while source.at < source.end:
        at = source.at
        op = source.byte()
        if op >= 0xFB:
            _prefixed(source, op, at, found)
        else:
            _plain(op, at, found)
            if op == 0x10:
                calls.add(Bytes(source.data, source.at, source.end).leb())
            _immediates(source, _IMMEDIATES.get(op, ""), found)


def _plain(op, at, found):
    """The feature of an instruction of one byte."""
    for feature, ops in (("floats", _FLOATS), ("i64", _I64), ("exception-handling", _EXCEPTIONS), ("sign-ext", range(0xC0, 0xC5))):
        if op in ops:
            found.saw(feature, at)
    if op in (0x25, 0x26, 0x1C, 0xD0, 0xD1, 0xD2):
        found.saw("reference-types", at)
    if op in (0x12, 0x13):
        found.saw("tail-call", at)
    if op in (0x14, 0x15, 0xD5, 0xD6):
        found.saw("gc", at)


def _prefixed(source, prefix, at, found):
    number = source.leb()
    if prefix != 0xFC:
        found.saw({0xFB: "gc", 0xFD: "simd128", 0xFE: "threads"}.get(prefix, "unknown"), at)
        raise Cut(at)
    if number > 17:
        found.saw("wide-arithmetic", at)
        return
    found.saw("nontrapping-fptoint" if number < 8 else "bulk-memory" if number < 15 else "reference-types", at)
    if number < 8:
        found.saw("floats", at)
    _immediates(source, _BULK.get(number, ""), found)


def _immediates(source, kinds, found):
    """Pass over an instruction's immediates."""
    for kind in kinds:
        if kind in "us":
            source.leb()
        elif kind == "b":
            at = source.at
            if source.leb() < 0x40 or source.at - at > 1:
                found.saw("multivalue", at)
        elif kind == "m":
            align = source.leb()
            if align & 64:
                source.leb()
            source.leb()
        elif kind in "48":
            source.take(int(kind))
        elif kind == "t":
            for _ in range(source.leb() + 1):
                source.leb()
        else:
            for _ in range(source.leb()):
                source.byte()


_READERS = {0: _custom, 1: _types, 2: _imports, 4: _tables, 5: _memories, 6: _globals, 9: _elements, 10: _code}
