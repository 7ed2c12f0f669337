"""What the files of `fleet.calls` share."""

from fleet.errors import USAGE, FleetError
from mpwasm.wire import topics


def fields(row, names):
    """A row as a dict, in this order."""
    return {name: getattr(row, name) for name in names}


def check_id(name, what):
    if not topics.valid_device(name):
        raise FleetError(f"{name!r} cannot name a {what}: use 1 to 32 of a-z, 0-9 and -.", USAGE)
