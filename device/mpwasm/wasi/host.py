"""The host side of one guest: binds its imports to methods of this package, by rows that `resolver` finds, and by what was granted."""

from mpwasm.compat import const
from mpwasm.wasi.context import Context
from mpwasm.wasi.grants import Grants

_NOTCAPABLE = const(76)


def denied_wasi(inst, *args):
    """A function of preview 1 that isn't granted: ENOTCAPABLE."""
    return _NOTCAPABLE


def denied(inst, *args):
    """A function of ours that isn't granted: -ENOTCAPABLE."""
    return -_NOTCAPABLE


class Host:
    """The host side of one guest, called by the linker for each import. `rows` are those that `resolver.find` gave for its imported functions
    when it was compiled; without them they are looked up.

    `wasi` and `devices` are two names of its `Context`: `wasi.wake_ms` is the uptime at which a guest that asked for a pause goes on;
    at its end, `wasi.flush` and `devices.release`, or `close`, which does both.
    """

    def __init__(self, capabilities, board, sink, name, config, rows=None):
        self.wasi = self.devices = Context(Grants(capabilities, board.granted), board, sink, name, config)
        self.rows = rows and iter(rows)

    def __call__(self, module, name, params, results):
        """The function for an import; None if there is none of that name, `Unlinkable` naming both types if only the type differs.

        One that isn't granted links, and returns an error at each call, so that a guest can do without it.
        """
        if params is None:
            return None
        if self.rows:
            return self.bind(*next(self.rows))
        from mpwasm.wasi.resolver import find  # needed while linking only; the agent drops it afterwards

        row = find(module, name, params, results)
        return row and self.bind(*row)

    def bind(self, where, file, method, need):
        """The method behind a row, or what stands for it where its capability isn't granted."""
        context = self.wasi
        if need in ("clock", "random", "log", "kv") and not context.grants.allow(need):
            if file in ("preview1", "process", "files"):
                return denied_wasi
            if where == "kv":
                return denied
            from mpwasm.wasi.foreign import refused

            return lambda inst, *args: refused(context, need)
        if need in ("i2c", "spi", "uart", "pwm"):  # a foreign name needs ours beneath it: loaded now, not while the guest runs
            context.part("pwm" if need == "pwm" else "buses")
        return getattr(context.part(file), method)

    def close(self):
        """The guest has ended: hand over its last words, let go of its pins."""
        self.wasi.flush()
        self.wasi.release()
