"""Builds small WebAssembly modules from Python, for tests that run on boards too, where no assembler is.

module(types=[(b"\\x7f\\x7f", b"\\x7f")], funcs=[(0, b"", code(0x20, 0, 0x20, 1, 0x6A))], exports={"add": (0, 0)})
"""

I32 = 0x7F
I64 = 0x7E
END = 0x0B


def uleb(value):
    """`value` as unsigned LEB128."""
    out = bytearray()
    while True:
        b = value & 127
        value >>= 7
        if not value:
            out.append(b)
            return bytes(out)
        out.append(b | 128)


def sleb(value):
    """`value` as signed LEB128."""
    out = bytearray()
    while True:
        b = value & 127
        value >>= 7
        if (value == 0 and not b & 64) or (value == -1 and b & 64):
            out.append(b)
            return bytes(out)
        out.append(b | 128)


def code(*parts):
    """Bytes from ints (one byte each) and bytes."""
    out = bytearray()
    for part in parts:
        if isinstance(part, int):
            out.append(part)
        else:
            out.extend(part)
    return bytes(out)


def i32(value):
    """i32.const."""
    return b"\x41" + sleb(value)


def i64(value):
    """i64.const."""
    return b"\x42" + sleb(value)


def vector(items):
    """A vector of encoded items."""
    out = bytearray(uleb(len(items)))
    for item in items:
        out.extend(item)
    return bytes(out)


def name(text):
    """A name."""
    return uleb(len(text.encode())) + text.encode()


def section(number, body):
    """One section."""
    return bytes((number,)) + uleb(len(body)) + body


def limits(low, high=None):
    """Limits."""
    return b"\x00" + uleb(low) if high is None else b"\x01" + uleb(low) + uleb(high)


def function(local_runs, body):
    """A function body; `local_runs` is a list of (count, type)."""
    inner = vector([uleb(n) + bytes((t,)) for n, t in local_runs]) + body + b"\x0b"
    return uleb(len(inner)) + inner


def module(types=(), imports=(), funcs=(), tables=(), memory=None, globals_=(), exports=None, start=None, elems=(), datas=()):
    """A module.

    `types`: (params, results); `imports`: (module, name, kind, encoded description); `funcs`: (type, local runs, code);
    `tables`: limits; `memory`: (min, max); `globals_`: (type, mutable, code of the initial value); `exports`:
    {name: (kind, index)}; `elems`: (offset, [functions]); `datas`: (offset, bytes).
    """
    out = bytearray(b"\x00asm\x01\x00\x00\x00")

    def add(number, items):
        if items:
            out.extend(section(number, vector(items)))

    add(1, [b"\x60" + vector([bytes((t,)) for t in p]) + vector([bytes((t,)) for t in r]) for p, r in types])
    add(2, [name(m) + name(n) + bytes((k,)) + d for m, n, k, d in imports])
    add(3, [uleb(f[0]) for f in funcs])
    add(4, [b"\x70" + limits(*t) for t in tables])
    add(5, [limits(*memory)] if memory else [])
    add(6, [bytes((t, mutable)) + init + b"\x0b" for t, mutable, init in globals_])
    add(7, [name(n) + bytes((k,)) + uleb(i) for n, (k, i) in (exports or {}).items()])
    if start is not None:
        out.extend(section(8, uleb(start)))
    add(9, [b"\x00" + i32(o) + b"\x0b" + vector([uleb(i) for i in items]) for o, items in elems])
    add(10, [function(f[1], f[2]) for f in funcs])
    add(11, [b"\x00" + i32(o) + b"\x0b" + uleb(len(d)) + d for o, d in datas])
    return bytes(out)


def single(params, results, body, local_runs=(), **rest):
    """A module of one function, exported as ``f``."""
    return module(types=[(params, results)], funcs=[(0, local_runs, body)], exports={"f": (0, 0)}, **rest)


def load(raw):
    """The `Module` in `raw`."""
    import io

    from mpwasm.wasm.load import load_module

    return load_module(io.BytesIO(raw))


def instance(raw, resolve=None, **rest):
    """An `Instance` of the module in `raw`."""
    from mpwasm.wasm.instance import Instance

    return Instance(load(raw), resolve, **rest)


def call(raw, *arguments):
    """Call ``f`` of the module in `raw`."""
    return instance(raw).call("f", *arguments)
