"""What the files of `fleet.calls` share."""

from fleet.errors import USAGE, FleetError
from mpwasm.wire import topics


def fields(row, names):
    """A row as a dict, in this order."""
    return {name: getattr(row, name) for name in names}


def check_id(name, what):
    if not topics.valid_device(name):
        raise FleetError(f"{name!r} cannot name a {what}: use 1 to 32 of a-z, 0-9 and -.", USAGE)


ROLLOUT_FIELDS = ("id", "state", "reason", "group", "wave", "opened", "undoes", "actor", "created", "ended")


def rollout_fields(row, module):
    """A `Rollout` row and its `Module` row (None for an undo) as plain data."""
    named = {"module": module.name, "version": module.version} if module else {"module": f"undo of {row.undoes}", "version": ""}
    return {**fields(row, ROLLOUT_FIELDS), "where": row.selection, "waves": row.policy.get("waves", ["100%"]), **named}
