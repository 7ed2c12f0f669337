"""How a board is, judged from what the fleet knows of it: one word for programs and a sentence for people. Pure."""

from fleet.rollout import ONLINE_STATES
from fleet.words import explain, step

OK = "ok"
BUSY = "busy"
ATTENTION = "attention"
BEHIND = "behind"
SLEEPING = "sleeping"
OFFLINE = "offline"
NEW = "new"

_ENDED_BADLY = frozenset(["rejected", "rolled-back", "failed"])
_AT_REST = frozenset([None, "idle", "confirmed"])


def judge(row):
    """{"online", "health", "why"} for a row of `Client.devices`; `why` is None where there is nothing to say."""
    health, why = _judge(row)
    return {"online": row["state"] in ONLINE_STATES, "health": health, "why": why}


def _judge(row):
    wanted = row["desired"]
    if row["state"] == "never seen":
        return NEW, "it has not connected yet"
    if row["status"] in _ENDED_BADLY:
        return ATTENTION, f"{step(row['status'])}: {explain(row['reason'], row.get('detail'))}"
    if row["state"] == "sleeping":
        return SLEEPING, "it sleeps, and takes its orders when it wakes"
    if row["state"] not in ONLINE_STATES:
        return OFFLINE, "it is not connected; it takes its orders when it comes back"
    if row["status"] not in _AT_REST:
        return BUSY, step(row["status"])
    if wanted and (wanted["module"], wanted["version"]) != (row["module"], row["version"]):
        return BEHIND, f"it should run {wanted['module']} {wanted['version']}"
    return OK, None
