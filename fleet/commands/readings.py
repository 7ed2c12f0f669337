"""`fleet readings`: what the boards' modules measured."""

import click

from fleet.commands.logs import count_lost
from fleet.completion import BOARD
from fleet.output import ago, as_table, chosen, emit, filter_option, output_option

PART = 1000

_COLUMNS = [
    ("BOARD", lambda d: d["device"]),
    ("READING", lambda d: d["name"]),
    ("VALUE", lambda d: f"{d['value']:.10g}"),
    ("WHEN", lambda d: ago(d["received"])),
]
_NOTHING = "There are no readings yet. What modules report with telemetry comes here."
LIST = as_table(_COLUMNS, _NOTHING)
HISTORY = as_table([*_COLUMNS, ("LOST BEFORE", lambda d: d["lost"] or "")], _NOTHING)


@click.command()
@click.argument("board", required=False, type=BOARD)
@click.option("--lines", "-n", "count", type=click.IntRange(1, 100_000), help="So many of the newest, oldest first (default: the last of each name).")
@filter_option
@output_option
@click.pass_obj
def command(context, board, count, conditions, output):
    """The last reading of each name, of all boards or of BOARD; with -n how they changed. `-o csv` suits spreadsheets.

    LOST BEFORE counts the board's readings, of all names, that it had no room for in an outage.
    """
    client = context.client
    if board is not None:
        client.device(board)
    rows = _newest(client, board, count) if count else [row for row in client.latest_readings() if board in (None, row["device"])]
    emit(chosen(rows, conditions), output, HISTORY if count else LIST)


def _newest(client, board, count):
    rows, after = [], client.reading_start(count, board)
    while part := client.readings(after, board, PART):
        rows += part
        after = part[-1]["id"]
    return count_lost(rows, {})
