"""What a board reports about itself on `reported`, inside a MAC made with `derive(K, b"report")`."""

from mpwasm.wire.record import Record

_U32 = 0xFFFFFFFF
_U53 = (1 << 53) - 1

STATES = (
    "idle",
    "check",
    "manifest",
    "verify",
    "preflight",
    "downloading",
    "verify-file",
    "staged",
    "trial",
    "confirmed",
    "rolled-back",
    "rejected",
    "failed",
)


class ComponentReport(Record):
    """One component: `slot`, `state` (one of `STATES`), `reason` (str or None), `manifest` (digest of the running manifest blob or
    None), `name` and `version` of what runs ("" for nothing), `progress` percent, `detail` free text of at most 200 bytes."""

    OPEN = True
    ROWS = (
        (1, "slot", "u", 0, 255),
        (2, "state", STATES, 0, 0),
        (3, "reason", "?t", 1, 32),
        (4, "manifest", "?b", 32, 32),
        (5, "name", "t", 0, 32),
        (6, "version", "t", 0, 32),
        (7, "progress", "u", 0, 100),
        (8, "detail", "x", 0, 200),
    )

    slot = 0
    state = "idle"
    reason = None
    manifest = None
    name = ""
    version = ""
    progress = 0
    detail = ""


class Report(Record):
    """A board's report.

    `seq` last seen; `components`; `boot_id` 8 bytes, new each boot; `counter` rises within a boot; `boots`; `free_heap` bytes;
    `rssi` dBm (negative) or None; `abi` engine ABI; `nonce` echo of the last pointer's (8 bytes, zeros at first); `floor` the
    persisted floor of time, Unix seconds; `keys_version` (0 for none); `port` ("webassembly", "rp2", "esp32"); `firmware`; `agent`
    version; `min_free_heap` bytes; `uptime_ms` of the board when it said this, by which commands expire;
    `executor` of the guest, "native" or "plain: why", "" without one. Keys that a newer board adds are ignored.
    """

    OPEN = True
    ROWS = (
        (1, "seq", "u", 0, _U53),
        (2, "components", ComponentReport, 0, 8),
        (3, "boot_id", "b", 8, 8),
        (4, "counter", "u", 0, _U32),
        (5, "boots", "u", 0, _U32),
        (6, "free_heap", "u", 0, _U32),
        (7, "rssi", "?u", -200, 50),
        (8, "abi", "u", 0, 255),
        (9, "nonce", "b", 8, 8),
        (10, "floor", "u", 0, _U53),
        (11, "keys_version", "u", 0, _U32),
        (12, "port", "t", 1, 16),
        (13, "firmware", "t", 0, 64),
        (14, "agent", "t", 0, 32),
        (15, "min_free_heap", "u", 0, _U32),
        (16, "uptime_ms", "u", 0, _U53),
        (17, "executor", "t", 0, 64),
    )

    rssi = None
    uptime_ms = 0
    executor = ""
