"""Edits modules in their binary format: sections added, functions taken out that no board holds (br_table.wast has a table of 24,577 targets)."""

GIANT_BYTES = 16384
CODE, EXPORT, FUNCTION, IMPORT = 10, 7, 0, 2
UNREACHABLE = b"\x00\x00\x0b"  # a body: no locals, `unreachable`, `end`


def leb(number):
    """A number in unsigned LEB128."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def read(data, at):
    """The unsigned LEB128 at an offset of `data`: (number, offset behind it)."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def section(body, kind=0):
    """A section of a WebAssembly module (core spec, 5.5.2) with these bytes; a custom one if no kind is given."""
    return bytes([kind]) + leb(len(body)) + body


def sections(module):
    """(kind, content) of each section of a module (core spec, 5.5.2)."""
    at = 8
    while at < len(module):
        size, start = read(module, at + 1)
        yield module[at], module[start : start + size]
        at = start + size


def _counted(content):
    """The elements of a code section's vector, each behind its size."""
    count, at = read(content, 0)
    for _ in range(count):
        size, start = read(content, at)
        yield content[start : start + size]
        at = start + size


def _exports(content):
    """{function index: name} of an export section."""
    count, at = read(content, 0)
    found = {}
    for _ in range(count):
        size, at = read(content, at)
        name, kind = content[at : at + size].decode(), content[at + size]
        index, at = read(content, at + size + 1)
        if kind == FUNCTION:
            found[index] = name
    return found


def without_giants(module):
    """The module with `unreachable` as the body of each giant, and the names that those are exported by. One without imports."""
    found = dict(sections(module))
    bodies = list(_counted(found.get(CODE, b"\x00")))
    giants = [index for index, body in enumerate(bodies) if len(body) > GIANT_BYTES]
    if not giants or IMPORT in found:
        return module, []
    names = _exports(found.get(EXPORT, b"\x00"))
    bodies = [UNREACHABLE if index in giants else body for index, body in enumerate(bodies)]
    out = module[:8]
    for kind, content in sections(module):
        if kind == CODE:
            content = leb(len(bodies)) + b"".join(leb(len(body)) + body for body in bodies)
        out += section(content, kind)
    return out, [names[index] for index in giants if index in names]
