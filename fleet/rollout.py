"""Decides a rollout's next step from its state and the time, without I/O; the service carries the steps out.

A board of a rollout is `queued`, then `sent`, then in one of the steps it reports, and ends as one of `FINAL`. Waves open one after the
other: a wave takes as many boards as it has room for, those that are online first come first served. Boards that are offline stay
queued and hold nobody up; the last wave gives every board its order, which then waits on the broker. A wave's gate: nobody is working on
it any more, the success share is met, somebody has confirmed, the soak time is over. Too many failures pause the rollout at once.
"""

import math
from dataclasses import dataclass, field

QUEUED = "queued"
SENT = "sent"
CONFIRMED = "confirmed"
REFUSED = "refused"
ROLLED_BACK = "rolled-back"
FAILED = "failed"
RETRYING = "retrying"
SUPERSEDED = "superseded"
CANCELLED = "cancelled"
TIMEOUT = "timeout"
FINAL = frozenset([CONFIRMED, REFUSED, ROLLED_BACK, FAILED, SUPERSEDED, CANCELLED, TIMEOUT])
BAD = frozenset([REFUSED, ROLLED_BACK, FAILED, TIMEOUT])
NEUTRAL = frozenset([SUPERSEDED, CANCELLED])

ONLINE_STATES = frozenset(["init", "ready"])
UNASSIGNED = -1
RATE_SPAN_S = 60.0

# What a board reports as "failed" for one of these will not get better by trying again.
LASTING_FAILURES = frozenset(["malformed", "invalid", "unlinkable", "trap", "exhausted", "exit"])

# Why a rollout was paused by itself.
PAUSED_FAILURES = "failures"
PAUSED_SUCCESS = "success"
PAUSED_WAVE_TIMEOUT = "wave-timeout"

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Policy:
    """How a rollout goes. `waves` are growing totals: an int of boards, or a float share of all (0 < share <= 1); the last is 1.0.

    `success` is the share of a wave's boards that must confirm, `max_failures` the failures allowed in all waves together (None: no limit),
    `soak_s` the seconds that a wave's last board must have ended before, `rate` boards per minute (None: no limit), `timeout_s`
    what a board may take, `wave_timeout_s` what a wave may, `windows` the times at which orders may go out (`fleet.schedule`).
    """

    waves: tuple = (1, 0.05, 0.25, 1.0)
    success: float = 0.9
    soak_s: float = 0.0
    max_failures: int | None = None
    rate: int | None = None
    timeout_s: float = 120.0
    wave_timeout_s: float = 7 * 86400.0
    windows: tuple = ()


@dataclass(frozen=True)
class Member:
    """One board of a rollout; times in seconds, None for never.

    `wave` is that of its order (`UNASSIGNED` while queued), `sent` when the order went out, `started` since when the board is known to work on
    it (None while it is away without having seen it), `ended` when it came to its end. A `late` board joined after the rollout's start.
    """

    device: str
    state: str = QUEUED
    online: bool = True
    wave: int = UNASSIGNED
    sent: float | None = None
    started: float | None = None
    ended: float | None = None
    late: bool = False


@dataclass(frozen=True)
class Plan:
    """A rollout as it stands: the wave that is open and since when, whether it is paused, the time of the last resumption (failures up to
    it are forgiven), since when boards can be heard, and whether orders may go out now."""

    members: tuple
    policy: Policy = field(default_factory=Policy)
    wave: int = 0
    opened: float = 0.0
    paused: bool = False
    resumed: float = -math.inf
    heard_since: float = -math.inf
    may_send: bool = True


@dataclass(frozen=True)
class Send:
    """Give these boards their orders."""

    devices: tuple


@dataclass(frozen=True)
class Expire:
    """These boards took too long."""

    devices: tuple


@dataclass(frozen=True)
class Open:
    """The next wave begins."""

    wave: int


@dataclass(frozen=True)
class Pause:
    """Nobody gets an order until somebody has looked: one of the PAUSED_ reasons."""

    reason: str


@dataclass(frozen=True)
class Finish:
    """Every board has ended."""


def next_step(plan, now):
    """The step to take at `now` (seconds): Send, Expire, Open, Pause, Finish, or None to wait."""
    if all(member.state in FINAL for member in plan.members):
        return Finish()
    late = tuple(member.device for member in plan.members if _late(member, plan, now))
    if late:
        return Expire(late)
    if plan.paused:
        return None
    reason = _breach(plan)
    if reason:
        return Pause(reason)
    if now - plan.opened > plan.policy.wave_timeout_s and plan.may_send:
        return _give_up(plan)
    chosen = _chosen(plan, now)
    return Send(chosen) if chosen else _gate(plan, now)


def wave_sizes(policy, total):
    """The boards that each wave adds, as a list of ints with the sum `total`; one that adds nobody is 0."""
    totals = [0] + [_resolve(wave, total) for wave in policy.waves]
    return [max(high - max(totals[: i + 1]), 0) for i, high in enumerate(totals[1:])]


def _resolve(wave, total):
    return min(wave if isinstance(wave, int) else math.ceil(wave * total - _ROUNDING), total)


def working(member):
    """Whether the board is known to be at work on its order."""
    return member.started is not None and member.state not in FINAL


def _late(member, plan, now):
    return working(member) and now - max(member.started, plan.heard_since) > plan.policy.timeout_s


def _forgiven(member, plan):
    return member.state in BAD and member.ended is not None and member.ended <= plan.resumed


def _counts(plan):
    """(confirmed, failed) of the open wave; what was forgiven does not count."""
    states = [member.state for member in plan.members if member.wave == plan.wave and not _forgiven(member, plan)]
    return states.count(CONFIRMED), sum(state in BAD for state in states)


def _breach(plan):
    """The reason to pause for too many failures, or None."""
    policy = plan.policy
    if policy.max_failures is not None:
        if sum(member.state in BAD and not _forgiven(member, plan) for member in plan.members) > policy.max_failures:
            return PAUSED_FAILURES
    size = wave_sizes(policy, len(plan.members))[plan.wave]
    allowed = math.floor((1 - policy.success) * size + _ROUNDING)
    return PAUSED_SUCCESS if _counts(plan)[1] > allowed else None


def _give_up(plan):
    """The open wave took too long: the last one ends all that is left, another needs somebody to look."""
    if not _is_last(plan):
        return Pause(PAUSED_WAVE_TIMEOUT)
    return Expire(tuple(member.device for member in plan.members if member.state not in FINAL))


def _is_last(plan):
    """Whether the open wave may hold every board."""
    return _resolve(plan.policy.waves[plan.wave], len(plan.members)) >= len(plan.members)


def _chosen(plan, now):
    """The boards that get their order now: as many as the open wave has room for and the rate allows."""
    if not plan.may_send:
        return ()
    last = _is_last(plan)
    queued = [member for member in plan.members if member.state == QUEUED and (last or (member.online and not member.late))]
    taken = sum(member.state != QUEUED and member.state not in NEUTRAL and not _forgiven(member, plan) for member in plan.members)
    room = len(queued) if last else _resolve(plan.policy.waves[plan.wave], len(plan.members)) - taken
    if plan.policy.rate is not None:
        recent = sum(member.sent is not None and member.sent > now - RATE_SPAN_S for member in plan.members)
        room = min(room, plan.policy.rate - recent)
    queued.sort(key=lambda member: not member.online)
    return tuple(member.device for member in queued[: max(room, 0)])


def _gate(plan, now):
    """Open the next wave, Pause for too small a share of successes, or None."""
    if _is_last(plan) or not plan.may_send or any(working(member) for member in plan.members):
        return None
    if plan.policy.rate is not None and _chosen(_without_rate(plan), now):
        return None
    good, bad = _counts(plan)
    if bad and good < plan.policy.success * (good + bad) - _ROUNDING:
        return Pause(PAUSED_SUCCESS)
    if not any(member.state == CONFIRMED for member in plan.members):
        return None
    ended = [member.ended for member in plan.members if member.wave == plan.wave and member.ended is not None]
    return Open(plan.wave + 1) if now - max(ended, default=plan.opened) >= plan.policy.soak_s else None


def _without_rate(plan):
    return Plan(**{**vars(plan), "policy": Policy(**{**vars(plan.policy), "rate": None})})


def outcome(reported_state, reason):
    """The state in the rollout of a board that reports `reported_state` for this rollout's seq."""
    if reported_state == "rejected":
        return REFUSED
    if reported_state == "failed":
        return FAILED if reason in LASTING_FAILURES else RETRYING
    return reported_state
