"""Webhooks: what is told of rollouts to addresses elsewhere, how it is signed, and when it is tried again. Pure."""

import hmac
import json
from urllib.parse import urlsplit

from fleet.errors import USAGE, FleetError

# Action in the audit log -> name of the event.
EVENTS = {
    "rollout start": "rollout.started",
    "rollout wave": "rollout.wave",
    "rollout pause": "rollout.paused",
    "rollout paused": "rollout.paused",
    "rollout resume": "rollout.resumed",
    "rollout abort": "rollout.aborted",
    "rollout undo": "rollout.undone",
    "rollout done": "rollout.done",
}
NAMES = tuple(dict.fromkeys(EVENTS.values()))
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 3600.0
GIVE_UP_S = 24 * 3600.0


def check(url, events):
    """FleetError (usage) if nothing can be told to `url`, or one of `events` is none."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise FleetError(f"{url} is no address for a webhook: it must begin with http:// or https://.", USAGE)
    for name in events:
        if name not in NAMES:
            raise FleetError(f"There is no event {name}: use {', '.join(NAMES)}.", USAGE)


def wanted(action, events):
    """Whether an entry of the audit log is an event that is asked for; an empty list asks for all."""
    return action in EVENTS and (not events or EVENTS[action] in events)


def body(entry, rollout):
    """The bytes that are sent for an entry of the audit log, `rollout` being the row as it is now, or None if it is gone."""
    told = {"id": entry["id"], "event": EVENTS[entry["action"]], "at": entry["created"], "actor": entry["actor"], "detail": entry["detail"]}
    return json.dumps({**told, "rollout": rollout}, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret, at, data):
    """The value of X-Fleet-Signature: HMAC-SHA256 with `secret` (bytes) over the time in seconds, a dot and the body."""
    return f"t={at},v1={hmac.digest(secret, f'{at}.'.encode() + data, 'sha256').hex()}"


def retry_s(attempts):
    """Seconds to wait after `attempts` failures in a row."""
    return min(FIRST_RETRY_S * 2 ** min(attempts - 1, 20), LONGEST_RETRY_S)
