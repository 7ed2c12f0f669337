"""`fleet logs`: lines that boards and their modules logged, and how many were lost in between."""

import contextlib
import re
import time
from datetime import datetime

import click

from fleet.completion import BOARD
from fleet.output import as_csv, emit, output_option

POLL_S = 0.2
DEFAULT_LINES = 20
PART = 1000
# Level of a line -> the mark before it: what a guest wrote to stdout and stderr, and what the agent says of itself.
MARKS = {1: "", 2: "error: ", 3: "agent: "}


class Since(click.ParamType):
    """A time: how long ago (90s, 10m, 2h, 3d), or a date and time in ISO 8601, local unless it says otherwise."""

    name = "time"
    _UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

    def convert(self, value, param, ctx):
        """Seconds since 1970."""
        match = re.fullmatch(r"(\d{1,9})([smhd])", value)
        if match:
            return max(time.time() - int(match[1]) * self._UNITS[match[2]], 0.0)
        try:
            return max(datetime.fromisoformat(value).timestamp(), 0.0)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is no time: write 10m, 2h, 3d or 2026-11-25T18:00.", param, ctx)


@click.command()
@click.argument("board", required=False, type=BOARD)
@click.option("--follow", "-f", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("--lines", "-n", "count", type=click.IntRange(0, 100_000), help="How many older lines to show (default: 20; with --since all).")
@click.option("--since", type=Since(), help="Only lines that arrived since 90s, 10m, 2h or 3d ago, or since a date and time.")
@output_option
@click.pass_obj
def command(context, board, follow, count, since, output):
    """Log lines of all boards or of BOARD, oldest first. With -f, JSON is one object per line."""
    client = context.client
    if board is not None:
        client.device(board)
    rows, after = _older(client, board, count, since)
    last = {}
    show = Shown(output, follow)
    show(count_lost(rows, last))
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            _follow(client, after, board, show, last)


def _older(client, board, count, since):
    """(the lines to begin with, the id after which new ones come)."""
    starts = [] if since is None else [client.log_since(since, board)]
    if since is None or count is not None:
        starts.append(client.log_start(DEFAULT_LINES if count is None else count, board))
    after, rows = max(starts), []
    while part := client.logs(after, board, PART):
        rows += part
        after = part[-1]["id"]
    return rows, after


def count_lost(rows, last):
    """Give each row its "lost": how many lines of its board, dropped in an outage, are missing before it.

    `last` {board: counter of its last line} is brought up to date; a counter that falls begins anew after a restart.
    """
    for row in rows:
        before = last.get(row["device"])
        if before is not None and row["counter"] <= before:
            before = 0
        row["lost"] = 0 if before is None else row["counter"] - before - 1
        last[row["device"]] = row["counter"]
    return rows


def _follow(client, after, board, show, last):
    """Print what comes, for ever."""
    while True:
        rows = count_lost(client.logs(after, board), last)
        if rows:
            after = rows[-1]["id"]
            show(rows)
        else:
            time.sleep(POLL_S)


class Shown:
    """Prints lines as they come, in the format `output`; JSON of a stream is one object per line, CSV has its heading once."""

    def __init__(self, output, stream):
        self._output = "jsonl" if stream and output == "json" else output
        self._begun = False

    def __call__(self, rows):
        """Print these lines."""
        if self._output == "csv" and self._begun:
            click.echo(as_csv(rows).partition("\n")[2])
        elif rows or self._output == "json":
            emit(rows, self._output, as_text)
        self._begun = self._begun or bool(rows)


def as_text(rows):
    """Lines for people, with a note wherever some were lost."""
    return "\n".join(text for row in rows for text in ([lost(row)] if row["lost"] else []) + [line(row)])


def lost(row):
    """What is missing before a line, as text."""
    return f"{row['device']}        ...  ({row['lost']} line{'s' if row['lost'] > 1 else ''} lost: the board had no room for more)"


def line(row):
    """One log line as text: board, the board's uptime in seconds, the text."""
    mark = MARKS.get(row["level"], f"level {row['level']}: ")
    return f"{row['device']}  {row['uptime_ms'] / 1000:9.3f}  {mark}{row['text']}"
