"""Commands to one board: what `cmd` and `cmd/res` carry inside a MAC made with ``derive(K, b"cmd")``, and which command counts.

A command is for one boot of the board, numbered, and void after a moment of that board's own uptime: no clock has to be trusted, and
a message held back or recorded does nothing later, nor after a restart. The same command again gets the same answer and is not done twice.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.cbor import decode, encode
from mpwasm.wire.record import fits

NAMES = ("restart", "stop", "start", "identify", "gc", "config")

_U53 = const(9007199254740991)
_MAX_ARGS = const(8)


def _parse(cls, payload, kinds):
    parts = decode(payload)
    if not isinstance(parts, list) or len(parts) != len(kinds):
        raise Refused("cbor", "command")
    for value, kind in zip(parts, kinds):
        if not fits(value, *kind):
            raise Refused("cbor", "command")
    return cls(*parts)


class Command:
    """`boot_id` 8 bytes, `counter` rising within a boot, `until_ms` the board's uptime at which it is void, `name`, `args` {str: str or int}."""

    def __init__(self, boot_id, counter, until_ms, name, args):
        self.boot_id = boot_id
        self.counter = counter
        self.until_ms = until_ms
        self.name = name
        self.args = args

    def encode(self):
        """The payload bytes."""
        return encode([self.boot_id, self.counter, self.until_ms, self.name, self.args])

    @classmethod
    def parse(cls, payload):
        """The command in an authenticated payload; `Refused` ("cbor")."""
        return _parse(cls, payload, (("b", 8, 8), ("u", 1, _U53), ("u", 0, _U53), ("t", 1, 32), ("m", 0, _MAX_ARGS)))

    def check(self, boot_id, counter, uptime_ms):
        """Return None if it counts now, `counter` being the last one's; `Refused` ("other-boot", "stale-seq", "expired")."""
        if self.boot_id != boot_id:
            raise Refused("other-boot")
        if self.counter <= counter:
            raise Refused("stale-seq", "command")
        if uptime_ms > self.until_ms:
            raise Refused("expired", "command")


class Result:
    """The answer: `boot_id` and `counter` of the command, `reason` None for done, or why not; `detail` text of at most 200 bytes."""

    def __init__(self, boot_id, counter, reason, detail):
        self.boot_id = boot_id
        self.counter = counter
        self.reason = reason
        self.detail = detail

    def encode(self):
        """The payload bytes."""
        return encode([self.boot_id, self.counter, self.reason, self.detail])

    @classmethod
    def parse(cls, payload):
        """The result in an authenticated payload; `Refused` ("cbor")."""
        return _parse(cls, payload, (("b", 8, 8), ("u", 1, _U53), ("?t", 1, 32), ("x", 0, 200)))
