"""What the HTTP API answers, for its OpenAPI description: rows may have more fields than are named here, never fewer."""

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(extra="allow")


class Wanted(Row):
    """What a board should run."""

    module: str
    version: str
    seq: int


class Board(Row):
    """A board; times in seconds since 1970, sizes in bytes. `fresh` is when the newest nonce it has echoed was made: hours ago for a board that
    is online means that somebody withholds what is published for it. `tls` is whether the board is told to use TLS."""

    id: str
    groups: list[str]
    home_group: str
    labels: dict[str, str]
    board: str | None
    state: str
    seen: float | None
    module: str | None
    version: str | None
    status: str | None
    reason: str | None
    free_heap: int | None
    executor: str | None
    port: str | None
    tls: bool
    fresh: float | None
    desired: Wanted | None
    online: bool
    health: str
    why: str | None


class BoardInFull(Board):
    """A board with all that is known of it."""

    capabilities: list[str]
    doubt: str | None
    report: dict | None


class Group(Row):
    """A group of boards."""

    name: str
    boards: int


class Key(Row):
    """A release key."""

    kid: str
    name: str
    scopes: list[str]
    state: str
    revoked: bool
    created: float


class KeyInFull(Key):
    """A release key with its public half, in hex."""

    public: str


class KeyListInForce(Row):
    """The list of keys that holds now."""

    version: int
    root: str


class Command(Row):
    """A command to a board: queued, sent, done, refused or timeout."""

    id: int
    device: str
    name: str
    args: dict
    state: str
    reason: str | None
    detail: str | None
    created: float
    ended: float | None
    final: bool


class Root(Row):
    """The root key and the version of the list that it signed."""

    public: str
    fingerprint: str
    version: int


class Service(Row):
    """A running service."""

    broker: str
    pid: int
    started: float


class Line(Row):
    """A log line; `uptime_ms` by the board's clock, `received` by the fleet's."""

    id: int
    device: str
    uptime_ms: int
    level: int
    text: str
    received: float


class Reading(Row):
    """A measurement."""

    id: int
    device: str
    name: str
    value: float
    received: float


class LatestReading(Row):
    """The newest measurement of a name."""

    id: int
    device: str
    name: str
    value: float
    received: float


class Target(Row):
    """One board of a rollout; `progress` in percent of the download; `wave` is -1 until it got its order; `runs`: whether it is to run anything."""

    device: str
    wave: int
    runs: bool
    state: str
    reason: str | None
    detail: str | None
    progress: int | None
    online: bool
    final: bool


class RolloutRow(Row):
    """A rollout in a list; `counts` says how many boards are in each state."""

    id: int
    state: str
    reason: str | None
    group: str
    where: str | None
    wave: int
    waves: list[str]
    undoes: int | None
    module: str
    version: str
    actor: str
    created: float
    ended: float | None
    counts: dict[str, int]


class Step(Row):
    """One wave: how many boards it holds, and how many of them are in each state."""

    wave: int
    size: int
    counts: dict[str, int]


class Rollout(RolloutRow):
    """A rollout with its boards; `policy` says how it goes."""

    policy: dict
    steps: list[Step]
    targets: list[Target]


class Pruned(Row):
    """How many log lines and readings were deleted."""

    logs: int
    readings: int


class Steered(Row):
    """The rollout that brings back what boards ran, or null if there was nothing to bring back."""

    rollout: int | None


class Pushed(Row):
    """The rollout that was started (null if there was nothing to do) and the boards that have the module already."""

    rollout: int | None
    unchanged: list[str]


class Module(Row):
    """A signed module."""

    digest: str
    name: str
    version: str
    payload: str
    payload_size: int
    kid: str
    capabilities: list[str]
    created: float


class Token(Row):
    """A token without its secret."""

    name: str
    role: str
    created: float
    created_by: str
    expires: float | None
    used: float | None


class NewToken(Token):
    """A token with its secret."""

    secret: str


class Webhook(Row):
    """An address that is told events (all, where the list is empty); `status` says how the last delivery went."""

    name: str
    url: str
    events: list[str]
    status: str | None
    attempts: int


class NewWebhook(Webhook):
    """A webhook with the secret that signs, in hex."""

    secret: str


class Event(Row):
    """An entry of the audit log."""

    id: int
    actor: str
    action: str
    subject: str
    detail: str
    count: int
    created: float


class Holder(Row):
    """Who is asking."""

    name: str
    role: str


class Problem(BaseModel):
    """What went wrong, in a sentence, with the exit code that the command line would have."""

    error: str
    code: int


class Words(BaseModel):
    """Short name -> what it means."""

    reasons: dict[str, str]
    steps: dict[str, str]
    pauses: dict[str, str]


class SealedPackage(BaseModel):
    """A signed package as POST /rollouts takes it."""

    envelope: str
    payload: str


class ManifestSummary(BaseModel):
    """What a signed manifest says."""

    name: str
    version: str
    kid: str
    groups: list[str]
    capabilities: list[str]


class Inspection(BaseModel):
    """`report` is what `fleet inspect` says; a signed package has the rest too, `trust` being why boards would not trust it, or null.

    `signer`: POST /sign would sign it.
    """

    report: dict
    signer: bool = False
    package: SealedPackage | None = None
    manifest: ManifestSummary | None = None
    trust: str | None = None
