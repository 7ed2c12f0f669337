"""What a board's update machine must not forget: a small record, saved before what depends on it happens."""

from mpwasm.wire.record import Record

_U32 = 0xFFFFFFFF
_U53 = (1 << 53) - 1

OUTCOMES = ("none", "open", "confirmed", "rejected", "rolled-back")


class Saved(Record):
    """The journal of `update.Update`.

    `seq` highest seq accepted, never down; `outcome` of that seq (one of `OUTCOMES`), with `reason` and `detail`; `document` its digest;
    `keys_version` and `keys` (digest) of the key list last verified; `floor` of time, Unix seconds; `counters` {name: security counter};
    `running` (digest of the confirmed manifest blob or None), `config` (digest or None), `name`, `version`; the same with `trial` for the one
    on trial, its security counter `trial_counter`, the `tries` it has left and `confirm_s`. `signer` and `trial_signer` are the ids of the
    release keys that signed the two; `root` the root key that followed the provisioned one, or None.
    """

    FORMAT = 1
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
        (11, "running", "?b", 32, 32),
        (12, "name", "t", 0, 32),
        (13, "version", "t", 0, 32),
        (14, "trial", "?b", 32, 32),
        (15, "trial_name", "t", 0, 32),
        (16, "trial_version", "t", 0, 32),
        (17, "trial_counter", "u", 0, _U32),
        (18, "tries", "u", 0, 16),
        (19, "confirm_s", "u", 0, 86400),
        (20, "config", "?b", 32, 32),
        (21, "trial_config", "?b", 32, 32),
        (22, "root", "?b", 32, 32),
        (23, "signer", "?b", 8, 8),
        (24, "trial_signer", "?b", 8, 8),
    )

    seq = 0
    outcome = "none"
    reason = None
    detail = ""
    document = None
    keys_version = 0
    keys = None
    floor = 0
    running = None
    name = ""
    version = ""
    trial = None
    trial_name = ""
    trial_version = ""
    trial_counter = 0
    tries = 0
    confirm_s = 0
    config = None
    trial_config = None
    root = None
    signer = None
    trial_signer = None

    def __init__(self, **fields):
        self.counters = {}
        super().__init__(**fields)
