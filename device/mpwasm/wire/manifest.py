"""The signed description of a module or an agent (SUIT information model, RFC 9124): what it is and what it may do."""

from mpwasm.compat import const
from mpwasm.wire.record import Record

_U32 = 0xFFFFFFFF
_U53 = (1 << 53) - 1
_IMAGE = const(40)


class Manifest(Record):
    """Body of a manifest blob, signed by a release key with `envelope.AAD_MANIFEST`.

    | key | attribute | what |
    |---|---|---|
    | 1 | | format, 1 |
    | 2, 3 | name, version | str |
    | 4 | kind | "wasm" or "agent" |
    | 5, 6 | digest, size | SHA-256 (bytes) and size in bytes of the payload |
    | 7 | abi | engine ABI the payload was made for |
    | 8 | memory | linear memory the guest may use, bytes |
    | 9 | fuel | slot operations per slice |
    | 10 | capabilities | list of str: ``gpio:15`` ``adc:26`` ``telemetry:*`` ``clock`` ``random`` ``log`` ``args`` |
    | 11 | entry | export that is started |
    | 12 | config | {str: str or int} |
    | 13, 14 | confirm_s, tries | seconds it must run to be confirmed; starts before it is rolled back |
    | 15 | expiry | Unix seconds after which it is not accepted any more, 0 for never |
    | 16 | counter | security counter; below the board's floor for this name it is refused |
    | 17 | groups | list of str; boards of other groups refuse it; ``*`` at the end is a wildcard |
    | 18 | share | its part of the processor beside other guests: how many times 10 ms a slice may last |
    | 19 | slot | the slot of a board that it goes into: modules side by side have different ones |
    | 20 | native | 1: as machine code where the board can; 0: by the plain executor |
    | 21 | images | machine code that was made ahead, 40 bytes for each kind of port: architecture, sub-version, engine, 0; size (u32); SHA-256 |
    | 22 | busy_ms | milliseconds it may compute between two waits (`poll_oneoff`, `sched_yield`, a delay); 0: for ever |

    An agent is called ``agent``. Its payload is an archive (see main.py), `memory` the flash in bytes that it takes.
    """

    FORMAT = 1
    REASON = "not-manifest"
    ROWS = (
        (2, "name", "t", 1, 32),
        (3, "version", "t", 1, 32),
        (4, "kind", ("wasm", "agent"), 0, 0),
        (5, "digest", "b", 32, 32),
        (6, "size", "u", 1, _U32),
        (7, "abi", "u", 1, 255),
        (8, "memory", "u", 0, _U32),
        (9, "fuel", "u", 1, _U32),
        (10, "capabilities", "l", 0, 32),
        (11, "entry", "t", 1, 64),
        (12, "config", "m", 0, 32),
        (13, "confirm_s", "u", 0, 86400),
        (14, "tries", "u", 1, 16),
        (15, "expiry", "u", 0, _U53),
        (16, "counter", "u", 0, _U32),
        (17, "groups", "l", 1, 16),
        (18, "share", "u", 1, 10),
        (19, "slot", "u", 0, 15),
        (20, "native", "u", 0, 1),
        (21, "images", "+b", 40, 320),
        (22, "busy_ms", "u", 0, 86400000),
    )

    kind = "wasm"
    abi = 1
    memory = 65536
    fuel = 10000
    capabilities = ()
    entry = "_start"
    config = {}
    confirm_s = 60
    tries = 3
    expiry = 0
    counter = 0
    groups = ("*",)
    share = 2
    slot = 0
    native = 1
    images = b""
    busy_ms = 30000

    def image(self, architecture, subversion, engine):
        """(size, SHA-256) of the image for a port and version of the engine; None if there is none."""
        port = bytes((architecture, subversion, engine, 0))
        for at in range(0, len(self.images) - _IMAGE + 1, _IMAGE):
            row = self.images[at : at + _IMAGE]
            if row[:4] == port:
                return int.from_bytes(row[4:8], "little"), row[8:]
        return None
