"""Links a guest's imports to host functions, by the table, by the types it declares and by what it was granted."""

from mpwasm.compat import const
from mpwasm.errors import Unlinkable
from mpwasm.wasi.context import Context
from mpwasm.wasi.grants import Grants

_NOTCAPABLE = const(76)
_WRONG_IMPORT = const(81)
_LETTERS = {0x7F: "i", 0x7E: "I", 0x7D: "f", 0x7C: "F"}
_TYPES = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}


def denied_wasi(inst, *args):
    """A function of preview 1 that isn't granted: ENOTCAPABLE."""
    return _NOTCAPABLE


def denied(inst, *args):
    """A function of ours that isn't granted: -ENOTCAPABLE."""
    return -_NOTCAPABLE


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


class Host:
    """The host side of one guest, called by the linker for each import.

    `wasi` and `devices` are two names of its `Context`: `wasi.wake_ms` is the uptime at which a guest that asked for a pause goes on;
    at its end, `wasi.flush` and `devices.release`, or `close`, which does both.
    """

    def __init__(self, capabilities, board, sink, name, config):
        self.wasi = self.devices = Context(Grants(capabilities, board.granted), board, sink, name, config)

    def __call__(self, module, name, params, results):
        """The function for an import; None if there is none of that name, `Unlinkable` naming both types if only the type differs.

        One that isn't granted links, and returns an error at each call, so that a guest can do without it.
        """
        from mpwasm.wasi.table import GROUPS  # needed while linking only; the agent drops it afterwards

        if params is None:
            return None
        params, results = text_of(params), text_of(results)
        other = None
        for where, file, prefix, text in GROUPS:
            if where == module:
                for row in rows(text, name):
                    if row[1] == params and row[2] == results:
                        return self.bind(where, file, prefix, row)
                    other = row
        if other:
            there = "%s.%s %s" % (module, name, spell(params, results))
            raise Unlinkable(_WRONG_IMPORT, there + ", here " + spell(other[1], other[2]))
        return None

    def bind(self, where, file, prefix, row):
        """The method behind a row, or what stands for it where its capability isn't granted."""
        context = self.wasi
        need = row[3]
        if need in ("clock", "random", "log", "kv") and not context.grants.allow(need):
            if file in ("preview1", "files"):
                return denied_wasi
            return denied if where == "kv" else lambda inst, *args: context.refused(need)
        if need in ("i2c", "spi", "uart", "pwm"):  # a foreign name needs ours beneath it: loaded now, not while the guest runs
            context.part("pwm" if need == "pwm" else "buses")
        return getattr(context.part(file), row[4] if len(row) > 4 else prefix + row[0])

    def close(self):
        """The guest has ended: hand over its last words, let go of its pins."""
        self.wasi.flush()
        self.wasi.release()


def make_resolver(capabilities, board, sink, name="", config=None):
    """The `Host` of one guest, to be given to `Instance` as its `resolve`.

    `capabilities` are the manifest's strings, `board` a `hardware.Board` with what it grants, `sink` has ``line(level, bytes)``
    and ``reading(name, value, scale)``; `config` (str -> str|int) is shown as environment where ``args`` is granted.
    """
    return Host(capabilities, board, sink, name, config)
