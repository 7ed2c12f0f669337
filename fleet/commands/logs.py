"""`fleet logs`: lines that boards and their modules logged, and how many were lost in between."""

import contextlib
import json
import time

import click

from fleet.output import output_option

POLL_S = 0.2
# Level of a line -> the mark before it: what a guest wrote to stdout and stderr, and what the agent says of itself.
MARKS = {1: "", 2: "error: ", 3: "agent: "}


@click.command()
@click.argument("board", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("--lines", "-n", "count", type=click.IntRange(0), default=20, show_default=True, help="How many older lines to show.")
@output_option
@click.pass_obj
def command(context, board, follow, count, output):
    """Log lines of all boards or of BOARD, oldest first. With -f, JSON is one object per line."""
    client = context.client
    if board is not None:
        client.device(board)
    after = client.log_start(count, board)
    last = {}
    rows = count_lost(client.logs(after, board, max(count, 1)) if count else [], last)
    _show(rows, output, follow)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            _follow(client, rows[-1]["id"] if rows else after, board, output, last)


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


def _follow(client, after, board, output, last):
    """Print what comes, for ever."""
    while True:
        rows = count_lost(client.logs(after, board), last)
        _show(rows, output, True)
        if rows:
            after = rows[-1]["id"]
        else:
            time.sleep(POLL_S)


def _show(rows, output, follow):
    if output == "json":
        texts = [json.dumps(row, ensure_ascii=False) for row in rows] if follow else [json.dumps(rows, indent=2, ensure_ascii=False)]
    else:
        texts = [text for row in rows for text in ([lost(row)] if row["lost"] else []) + [line(row)]]
    for text in texts:
        click.echo(text)


def lost(row):
    """What is missing before a line, as text."""
    return f"{row['device']}        ...  ({row['lost']} line{'s' if row['lost'] > 1 else ''} lost: the board had no room for more)"


def line(row):
    """One log line as text: board, the board's uptime in seconds, the text."""
    mark = MARKS.get(row["level"], f"level {row['level']}: ")
    return f"{row['device']}  {row['uptime_ms'] / 1000:9.3f}  {mark}{row['text']}"
