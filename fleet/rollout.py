"""Decides a rollout's next step from its state and the time, without I/O; the service carries the steps out.

A board of a rollout is `queued`, then `sent`, then in one of the steps it reports, and ends as one of `FINAL`. A board that is
offline has its order waiting on the broker: it holds nobody up, and takes the order when it comes back.
"""

from dataclasses import dataclass

QUEUED = "queued"
SENT = "sent"
CONFIRMED = "confirmed"
REFUSED = "refused"
ROLLED_BACK = "rolled-back"
FAILED = "failed"
RETRYING = "retrying"
SUPERSEDED = "superseded"
TIMEOUT = "timeout"
FINAL = frozenset([CONFIRMED, REFUSED, ROLLED_BACK, FAILED, SUPERSEDED, TIMEOUT])

ONLINE_STATES = frozenset(["init", "ready"])

# What a board reports as "failed" for one of these will not get better by trying again.
LASTING_FAILURES = frozenset(["malformed", "invalid", "unlinkable", "trap", "exhausted", "exit"])


@dataclass(frozen=True)
class Member:
    """One board of a rollout: its wave, its state, whether it is online, when its order was sent (seconds, or None)."""

    device: str
    wave: int
    state: str
    online: bool
    sent: float | None = None


@dataclass(frozen=True)
class Plan:
    """A rollout as it stands: its members and the seconds a board that is online may take."""

    members: tuple
    timeout_s: float


@dataclass(frozen=True)
class Send:
    """Give these boards their orders."""

    devices: tuple


@dataclass(frozen=True)
class Expire:
    """These boards are online and took too long."""

    devices: tuple


@dataclass(frozen=True)
class Finish:
    """Every board has ended."""


def next_step(plan, now):
    """The step to take at `now` (seconds): Send, Expire, Finish, or None to wait."""
    if all(member.state in FINAL for member in plan.members):
        return Finish()
    late = tuple(member.device for member in plan.members if _late(member, plan.timeout_s, now))
    if late:
        return Expire(late)
    wave = _open_wave(plan.members)
    queued = tuple(member.device for member in plan.members if member.wave == wave and member.state == QUEUED)
    return Send(queued) if queued else None


def _late(member, timeout_s, now):
    working = member.state not in FINAL and member.state != QUEUED
    return working and member.online and member.sent is not None and now - member.sent > timeout_s


def _open_wave(members):
    """The first wave that has a board which is neither at its end nor offline with its order; None if there is none."""
    waiting = [member.wave for member in members if member.state not in FINAL and (member.online or member.state == QUEUED)]
    return min(waiting) if waiting else None


def outcome(reported_state, reason):
    """The state in the rollout of a board that reports `reported_state` for this rollout's seq."""
    if reported_state == "rejected":
        return REFUSED
    if reported_state == "failed":
        return FAILED if reason in LASTING_FAILURES else RETRYING
    return reported_state
