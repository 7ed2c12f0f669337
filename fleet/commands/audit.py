"""`fleet audit`: who did what."""

from datetime import datetime

import click

from fleet.commands.logs import Since
from fleet.output import as_table, chosen, emit, filter_option, output_option

DEFAULT_EVENTS = 50
MOST_EVENTS = 100_000
PART = 1000

LIST = as_table(
    [
        ("WHEN", lambda d: moment(d["created"])),
        ("WHO", lambda d: d["actor"]),
        ("WHAT", lambda d: d["action"]),
        ("ON", lambda d: d["subject"]),
        ("DETAIL", lambda d: d["detail"]),
    ],
    "Nothing was done in that time.",
    [("TIMES", lambda d: d["count"])],
)


def moment(then):
    """A time (seconds since 1970) as date and time here."""
    return datetime.fromtimestamp(then).isoformat(" ", "seconds")


@click.command()
@click.option("--lines", "-n", "count", type=click.IntRange(1, MOST_EVENTS), help="How many, the newest ones (default: 50; with --since all).")
@click.option("--since", type=Since(), help="Only what was done since 90s, 10m, 2h or 3d ago, or since a date and time.")
@filter_option
@output_option
@click.pass_obj
def command(context, count, since, conditions, output):
    """Who did what, oldest first: pushes, commands, keys, tokens, boards, and what the service refused."""
    count = count or (DEFAULT_EVENTS if since is None else MOST_EVENTS)
    rows, after = [], context.client.audit_start(count)
    while part := context.client.audit_log(after, PART):
        rows += part
        after = part[-1]["id"]
    emit(chosen([row for row in rows if since is None or row["created"] >= since], conditions), output, LIST)
