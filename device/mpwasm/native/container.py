"""Makes a `.mpy` of machine code and of the facts that its instance needs: both are decoded by the firmware, in C.

The format is MicroPython's py/persistentcode.c, version 6, sub-version 3. Its module defines two names: ``run``, a viper function that is the
machine code, and ``facts``, a constant tuple (see `facts_of`).
"""

from array import array

from mpwasm.compat import const

ENGINE = 4  # version of what the compiler makes: code, record, facts; a cached image of another one is not used

_VERSION = const(6)
_KIND_VIPER = const(2)
_NONE = const(1)
_STR = const(5)
_BYTES = const(6)
_INT = const(7)
_TUPLE = const(10)
_NAMES = b"\x0awfrun\x00\x06run\x00\x0afacts\x00"
# LOAD_CONST_OBJ 0, STORE_NAME facts, MAKE_FUNCTION 0, STORE_NAME run, LOAD_CONST_NONE, RETURN_VALUE; before it the sizes and the name
_CODE = b"\x6c\x00\x02\x00\x23\x00\x16\x02\x32\x00\x16\x01\x51\x63\x01"


def varuint(value):
    """`value` as the format's variable-length number, high bits first."""
    out = bytes((value & 127,))
    value >>= 7
    while value:
        out = bytes((value & 127 | 128,)) + out
        value >>= 7
    return out


def put(out, value):
    """Append a constant to the bytearray `out`: None, bool, int, str, bytes-like, or a list or tuple of such."""
    if value is None:
        out.append(_NONE)
    elif isinstance(value, (list, tuple)):
        out.append(_TUPLE)
        out.extend(varuint(len(value)))
        for each in value:
            put(out, each)
    elif isinstance(value, (int, str)):
        out.append(_STR if isinstance(value, str) else _INT)
        data = value.encode() if isinstance(value, str) else b"%d" % value
        out.extend(varuint(len(data)))
        out.extend(data)
        if isinstance(value, str):
            out.append(0)
    else:
        data = bytes(value)
        out.append(_BYTES)
        out.extend(varuint(len(data)))
        out.extend(data)
        out.append(0)


def facts_of(module, blob, bound=()):
    """What an instance of `module`, compiled to `blob`, needs besides code, as a tuple of constants that `importer.restore` reads.

    `bound` has what `wasi.resolver.find` gave for each imported function, in order.
    """
    m = module
    exports = [(name, m.exports[name][0], m.exports[name][1]) for name in sorted(m.exports)]
    return (
        m.types, m.imports, array("H", m.funcs), m.imported, m.tables, m.memory, m.globals, exports, m.start, int(m.extras), m.elems,
        m.datas, array("I", blob.starts), blob.left, int(blob.rare), bound, blob.fixed,
    )  # fmt: skip


def wrap(size, facts, architecture, subversion):
    """A `.mpy` around `size` bytes of machine code for one of `targets`' architectures: what lies before them, and what lies behind."""
    head = bytearray((0x4D, _VERSION, (architecture & 63) << 2 | subversion, 31, 3, 1))
    head.extend(_NAMES)
    put(head, facts)
    head.extend(_CODE)
    head.extend(varuint(size << 3 | _KIND_VIPER))
    return head, b"\x00"
