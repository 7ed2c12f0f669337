"""`fleet device exec`: tell one board to do something, and say what became of it."""

import time

import click

from fleet.completion import BOARD
from fleet.errors import ERROR, OK, TIMEOUT
from fleet.output import emit, output_option
from fleet.words import explain

POLL_S = 0.1
CODES = {"done": OK, "refused": ERROR, "timeout": TIMEOUT}


@click.command("exec")
@click.argument("board", type=BOARD)
@click.argument("words", nargs=-1, required=True, metavar="COMMAND")
@click.option("--timeout", "timeout_s", type=click.IntRange(1, 3600), default=30, show_default=True, help="Seconds in which it must be done.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the board's answer.")
@output_option
@click.pass_obj
def command(context, board, words, timeout_s, no_wait, output):
    """Tell BOARD to do something: restart, stop or start its module, identify (blink), gc, config set NAME=VALUE….

    It is done once or not at all; a board that does not hear it in time never does it.

    Exit codes: 0 done, 1 refused, 5 no answer in time.
    """
    name, args = parse(words)
    row = context.client.send_command(board, name, args, timeout_s)
    if not no_wait:
        row = follow(context.client, row, timeout_s)
    emit(row, output, line)
    click.get_current_context().exit(CODES.get(row["state"], OK))


def parse(words):
    """(name, args) of the words on the command line."""
    name, *rest = words
    if name != "config":
        if rest:
            raise click.UsageError(f"{name} takes no {rest[0]}.")
        return name, {}
    if not rest or rest[0] != "set" or any("=" not in word for word in rest[1:]) or not rest[1:]:
        raise click.UsageError("Say what to set: config set NAME=VALUE…")
    return name, {key: number(value) for key, _, value in (word.partition("=") for word in rest[1:])}


def number(text):
    """A whole number where `text` is one, else the text."""
    try:
        return int(text)
    except ValueError:
        return text


def follow(client, row, timeout_s):
    """Wait for the end of a command; the row as it is then."""
    end = time.monotonic() + timeout_s + 1
    while not row["final"] and time.monotonic() < end:
        time.sleep(POLL_S)
        row = client.command(row["id"])
    return row


def line(row):
    """What became of a command, in words."""
    if row["state"] == "done":
        return f"{row['device']}  {row['name']} done{': ' + row['detail'] if row['detail'] else ''}"
    if row["state"] == "refused":
        return f"{row['device']}  {row['name']} refused: {explain(row['reason'], row['detail'])} [{row['reason']}]"
    if row["state"] == "timeout":
        return f"{row['device']}  {row['name']} not done: the board did not answer in time, and will not do it any more."
    return f"{row['device']}  {row['name']} on its way ({row['state']})."
