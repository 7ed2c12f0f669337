"""The tables of the fleet, and nothing else: one class per table, all times in seconds since 1970 (UTC)."""

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary
from sqlmodel import Field, SQLModel

# Ids of tables that grow for ever; SQLite counts up by itself only what it calls INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")


class Setting(SQLModel, table=True):
    """A named value: schema version, revision of the boards' credentials."""

    name: str = Field(primary_key=True)
    value: str


class Group(SQLModel, table=True):
    """A named set of boards that modules are pushed to."""

    __tablename__ = "groups"
    name: str = Field(primary_key=True)
    created: float


class Device(SQLModel, table=True):
    """A board: `sealed_key` is its key K, encrypted; `home_group` is the group written in its identity; `board` its kind, such as pico_w; `plain`
    whether a fleet with TLS tells it the port without."""

    id: str = Field(primary_key=True)
    home_group: str = Field(index=True)
    board: str | None = None
    sealed_key: bytes
    capabilities: list = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    plain: bool = False
    state: str = "never seen"
    seen: float | None = None
    created: float


class Membership(SQLModel, table=True):
    """One board in one group."""

    group: str = Field(primary_key=True, foreign_key="groups.name")
    device: str = Field(primary_key=True, foreign_key="device.id", ondelete="CASCADE", index=True)


class Label(SQLModel, table=True):
    """A word about a board: `site` = `north`."""

    device: str = Field(primary_key=True, foreign_key="device.id", ondelete="CASCADE")
    name: str = Field(primary_key=True, index=True)
    value: str


class Key(SQLModel, table=True):
    """A release key's public half; `kid` is the first 8 bytes of its SHA-256, in hex."""

    kid: str = Field(primary_key=True)
    name: str
    public: bytes
    scopes: list = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    revoked: bool = False
    created: float


class KeyList(SQLModel, table=True):
    """One version of the list of release keys, signed by the root; the blob holds the signed list."""

    version: int = Field(primary_key=True)
    digest: str
    size: int
    created: float


class Blob(SQLModel, table=True):
    """Bytes that boards may fetch, named by their SHA-256 in hex."""

    digest: str = Field(primary_key=True)
    kind: str
    size: int
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created: float


class Module(SQLModel, table=True):
    """A signed module: the digest of its envelope, and what the manifest in it says."""

    digest: str = Field(primary_key=True)
    size: int
    name: str = Field(index=True)
    version: str
    payload: str
    payload_size: int
    kid: str
    capabilities: list = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created: float


class Rollout(SQLModel, table=True):
    """One push to a group, or to the boards that meet the filter `selection`; or the undoing of another (`undoes`).

    `state` is running, paused (for `reason`), done, aborted or undone; `policy` the plain data of `fleet.policy`; `wave` is the open
    one, since `opened`; failures up to `resumed` are forgiven. `module` is "" where each board has its own.
    """

    id: int | None = Field(default=None, primary_key=True)
    module: str
    group: str
    selection: str | None = None
    state: str = Field(default="running", index=True)
    reason: str | None = None
    policy: dict = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    window_s: int
    timeout_s: int
    wave: int = 0
    opened: float = 0.0
    resumed: float | None = None
    undoes: int | None = None
    actor: str
    created: float
    ended: float | None = None


class Target(SQLModel, table=True):
    """One board of a rollout: how far it is (states of `fleet.rollout`), the wave and seq of its order.

    `module` is what it is to run ("" for nothing), `previous` what it was told to run before; `sent`, `started`, `ended` as in
    `fleet.rollout.Member`; `acked` is when its first report on this order was stored.
    """

    rollout: int = Field(primary_key=True, foreign_key="rollout.id")
    device: str = Field(primary_key=True, index=True)
    wave: int = -1
    late: bool = False
    module: str
    previous: str | None = None
    seq: int | None = Field(default=None, sa_type=BigInteger)
    state: str = "queued"
    reason: str | None = None
    detail: str | None = None
    progress: int | None = None
    sent: float | None = None
    started: float | None = None
    acked: float | None = None
    ended: float | None = None
    updated: float


class Deployment(SQLModel, table=True):
    """What one board should run since `seq`; the highest seq is what is published as `desired`. `published` is None until it was,
    `refreshed` when its nonce was made."""

    device: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    rollout: int = Field(index=True)
    module: str
    document: str
    document_size: int
    key_list: int
    window_s: int
    nonce: bytes
    created: float
    published: float | None = Field(default=None, index=True)
    refreshed: float | None = None


class Report(SQLModel, table=True):
    """The last authenticated `reported` of a board; `fresh` is when the newest nonce that it echoed was made."""

    device: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    boot_id: str
    counter: int = Field(sa_type=BigInteger)
    boots: int = Field(sa_type=BigInteger)
    free_heap: int | None = Field(default=None, sa_type=BigInteger)
    min_free_heap: int | None = Field(default=None, sa_type=BigInteger)
    rssi: int | None = None
    abi: int | None = None
    nonce: str | None = None
    floor: int | None = Field(default=None, sa_type=BigInteger)
    key_list: int | None = Field(default=None, sa_type=BigInteger)
    port: str | None = None
    firmware: str | None = None
    agent: str | None = None
    uptime_ms: int = Field(default=0, sa_type=BigInteger)
    executor: str | None = None
    received: float
    fresh: float | None = None


class Component(SQLModel, table=True):
    """One slot of a board, as last reported."""

    device: str = Field(primary_key=True)
    slot: int = Field(primary_key=True)
    state: str
    reason: str | None = None
    digest: str | None = None
    name: str | None = None
    version: str | None = None
    progress: int | None = None
    detail: str | None = None


class LogLine(SQLModel, table=True):
    """A line that a board or its guest logged; `uptime_ms` is the board's clock."""

    id: int | None = Field(default=None, primary_key=True, sa_type=_Id)
    device: str = Field(index=True)
    counter: int = Field(sa_type=BigInteger)
    uptime_ms: int = Field(sa_type=BigInteger)
    level: int = Field(sa_type=BigInteger)
    text: str
    received: float


class Reading(SQLModel, table=True):
    """A measurement: value = value_int * 10**scale."""

    id: int | None = Field(default=None, primary_key=True, sa_type=_Id)
    device: str = Field(index=True)
    name: str
    counter: int = Field(sa_type=BigInteger)
    uptime_ms: int = Field(sa_type=BigInteger)
    value_int: int = Field(sa_type=BigInteger)
    scale: int
    received: float


class AuditEvent(SQLModel, table=True):
    """Who did what to what; `count` says how often the same thing happened in one go."""

    id: int | None = Field(default=None, primary_key=True, sa_type=_Id)
    actor: str
    action: str = Field(index=True)
    subject: str
    detail: str
    count: int = 1
    created: float


class Service(SQLModel, table=True):
    """A running service and the last sign of life it gave."""

    id: str = Field(primary_key=True)
    broker: str
    pid: int
    started: float
    beat: float


class Token(SQLModel, table=True):
    """A right to use the HTTP API: `digest` is the SHA-256 of the secret, in hex; `role` is one of `fleet.tokens.ROLES`."""

    name: str = Field(primary_key=True)
    digest: str = Field(index=True, unique=True)
    role: str
    created_by: str
    created: float
    expires: float | None = None
    used: float | None = None


class Command(SQLModel, table=True):
    """A command to one board; `state` is queued, sent, done, refused or timeout. `boot_id` (hex) and `counter` are what it was last sent under."""

    id: int | None = Field(default=None, primary_key=True)
    device: str = Field(index=True)
    name: str
    args: dict = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    actor: str
    state: str = Field(default="queued", index=True)
    reason: str | None = None
    detail: str | None = None
    boot_id: str | None = None
    counter: int = Field(default=0, sa_type=BigInteger)
    created: float
    expires: float
    sent: float | None = None
    ended: float | None = None


class Webhook(SQLModel, table=True):
    """An address that is told events: `sealed` is the secret that signs, encrypted; `position` is the id of the last audit entry that was dealt with.

    `attempts` failed in a row; the next is `due` then; `leased` until then by the process that delivers.
    """

    name: str = Field(primary_key=True)
    url: str
    events: list = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    sealed: bytes
    position: int = 0
    attempts: int = 0
    due: float = 0.0
    leased: float = 0.0
    status: str | None = None
    created: float
    created_by: str
