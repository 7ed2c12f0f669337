"""Finds the host function for an import, by the table and by the types that the guest declares; needed before it is linked."""

from mpwasm.compat import const
from mpwasm.errors import Unlinkable
from mpwasm.wasi.host import Host
from mpwasm.wasi.table import groups

_WRONG_IMPORT = const(81)
_LETTERS = {0x7F: "i", 0x7E: "I", 0x7D: "f", 0x7C: "F"}
_TYPES = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}


def text_of(types):
    """Value types (bytes, spec 5.3.1) in the table's letters, ``-`` for none, ``?`` for those that no host function takes."""
    return "".join([_LETTERS.get(t, "?") for t in types]) or "-"


def spell(params, results):
    """Two fields of the table as a function type in words: ``(i32 i64) -> (i32)``."""
    return " -> ".join(["(" + " ".join([_TYPES.get(c, "ref") for c in text if c != "-"]) + ")" for text in (params, results)])


def rows(text, name):
    """The rows of `name` (several where it has several types) in a group's text, each a list of its columns."""
    at = 0
    while True:
        at = text.find("\n" + name + " ", at)
        if at < 0:
            return
        end = text.find("\n", at + 1)
        yield text[at + 1 : end].split()
        at = end


def find(module, name, params, results):
    """The row for an imported function: [import module, file, method, capability]; None if there is none of that name, `Unlinkable` naming
    both types if only the type differs."""
    params, results = text_of(params), text_of(results)
    other = None
    for where, file, prefix, text in groups():
        if where == module:
            for row in rows(text, name):
                if row[1] == params and row[2] == results:
                    return [where, file, row[4] if len(row) > 4 else prefix + row[0], row[3]]
                other = row
    if other:
        there = "%s.%s %s" % (module, name, spell(params, results))
        raise Unlinkable(_WRONG_IMPORT, there + ", here " + spell(other[1], other[2]))
    return None


def make_resolver(capabilities, board, sink, name="", config=None):
    """The `Host` of one guest, to be given to `Instance` as its `resolve`.

    `capabilities` are the manifest's strings, `board` a `hardware.Board` with what it grants, `sink` has ``line(level, bytes)``
    and ``reading(name, value, scale)``; `config` (str -> str|int) is shown as environment where ``args`` is granted.
    """
    return Host(capabilities, board, sink, name, config)
