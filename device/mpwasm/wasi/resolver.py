"""Links a guest's imports to host functions, by the table and by what the guest was granted."""

from mpwasm.compat import const
from mpwasm.wasi.devices import Devices
from mpwasm.wasi.grants import Grants
from mpwasm.wasi.preview1 import Preview1

_NOTCAPABLE = const(76)
_PER_ITEM = ("gpio", "adc", "telemetry")


def _denied_wasi(inst, *args):
    return _NOTCAPABLE


def _denied(inst, *args):
    return -_NOTCAPABLE


def text_of(types):
    """Value types (bytes, spec 5.3.1) in the table's letters, ``?`` for those that no host function takes."""
    return "".join(["i" if t == 0x7F else "I" if t == 0x7E else "?" for t in types])


class Host:
    """The host side of one guest, called by the linker for each import.

    `wasi.wake_ms` is the uptime at which a guest that asked for a pause goes on; at its end, `close`.
    """

    def __init__(self, capabilities, board, sink, name, config):
        self.grants = Grants(capabilities, board.granted)
        environ = []
        if config and self.grants.allow("args"):
            environ = [("%s=%s" % (key, config[key])).encode() for key in config]
        self.wasi = Preview1(board, sink, [name.encode()], environ)
        self.devices = Devices(board, self.grants, sink)

    def __call__(self, module, name, params, results):
        """The function for an import; None if there is none of that name and type, which stops the link.

        One that isn't granted links, and returns ENOTCAPABLE at each call, so that a guest can do without it.
        """
        from mpwasm.wasi.table import ROWS  # needed while linking only; the agent drops it afterwards

        for row in ROWS:
            if row[1] == name and row[0] == module:
                if row[2] != text_of(params) or row[3] != text_of(results):
                    return None
                return self._function(module, name, row[4])
        return None

    def _function(self, module, name, capability):
        ours = module in _PER_ITEM
        if capability and capability not in _PER_ITEM and not self.grants.allow(capability):
            return _denied if ours else _denied_wasi
        if ours:
            return getattr(self.devices, module + "_" + name)
        return getattr(self.wasi, "wasi_" + name)

    def close(self):
        """The guest has ended: hand over its last words, let go of its pins."""
        self.wasi.flush()
        self.devices.release()


def make_resolver(capabilities, board, sink, name="", config=None):
    """The `Host` of one guest, to be given to `Instance` as its `resolve`.

    `capabilities` are the manifest's strings, `board` a `hardware.Board` with what it grants, `sink` has ``line(level, bytes)``
    and ``reading(name, value, scale)``; `config` (str -> str|int) is shown as environment where ``args`` is granted.
    """
    return Host(capabilities, board, sink, name, config)
