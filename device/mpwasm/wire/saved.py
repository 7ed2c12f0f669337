"""What a board's update machine must not forget: a small record, saved before what depends on it happens."""

from hashlib import sha256

from mpwasm.wire.record import Record

_U32 = 0xFFFFFFFF
_U53 = (1 << 53) - 1

OUTCOMES = ("none", "open", "confirmed", "rejected", "rolled-back")


class Part(Record):
    """A component that was verified: `slot`, `kind`, digests of its `manifest` blob, `config` (or None) and `payload`; `name`, `version`,
    security `counter`, and `memory` in bytes as its manifest has them; `signer` the id of the release key that signed it."""

    ROWS = (
        (1, "slot", "u", 0, 15),
        (2, "kind", ("wasm", "agent"), 0, 0),
        (3, "manifest", "b", 32, 32),
        (4, "config", "?b", 32, 32),
        (5, "payload", "b", 32, 32),
        (6, "name", "t", 1, 32),
        (7, "version", "t", 0, 32),
        (8, "counter", "u", 0, _U32),
        (9, "memory", "u", 0, _U32),
        (10, "signer", "b", 8, 8),
    )

    def key(self):
        """What names this very module with this very configuration: 32 bytes."""
        return self.manifest if self.config is None else sha256(self.manifest + self.config).digest()


class Saved(Record):
    """The journal of `update.Update`.

    `seq` highest seq accepted, never down; `outcome` of that seq (one of `OUTCOMES`), with `reason` and `detail`; `document` its digest;
    `keys_version` and `keys` (digest) of the key list last verified; `floor` of time, Unix seconds; `counters` {name: security counter};
    `running` the confirmed `Part`s, `trial` those on trial (none: there is no trial), with the `tries` left and `confirm_s`;
    `touched` has a bit for each slot that this seq changes; `root` is the root key that followed the provisioned one, or None.
    Keys that a newer agent adds are ignored by the one that it falls back to.
    """

    FORMAT = 2
    OPEN = True
    ROWS = (
        (2, "seq", "u", 0, _U53),
        (3, "outcome", OUTCOMES, 0, 0),
        (4, "reason", "?t", 1, 32),
        (5, "detail", "x", 0, 200),
        (6, "document", "?b", 32, 32),
        (7, "keys_version", "u", 0, _U32),
        (8, "keys", "?b", 32, 32),
        (9, "floor", "u", 0, _U53),
        (10, "counters", "f", 0, 64),
        (11, "running", Part, 0, 8),
        (12, "trial", Part, 0, 8),
        (13, "tries", "u", 0, 16),
        (14, "confirm_s", "u", 0, 86400),
        (15, "touched", "u", 0, _U32),
        (16, "root", "?b", 32, 32),
    )

    seq = 0
    outcome = "none"
    reason = None
    detail = ""
    document = None
    keys_version = 0
    keys = None
    floor = 0
    running = ()
    trial = ()
    tries = 0
    confirm_s = 0
    touched = 0
    root = None

    def __init__(self, **fields):
        self.counters = {}
        super().__init__(**fields)
