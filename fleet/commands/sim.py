"""`fleet sim`: simulated boards."""

import json
import time

import click

from fleet.errors import FleetError
from fleet.output import stream_option

STEP_S = 0.2


@click.group()
def command():
    """Simulated boards: up."""


@command.command()
@click.option("--count", "-n", type=click.IntRange(1, 64), default=3, show_default=True, help="How many boards.")
@click.option("--group", "-g", required=True, help="Group of the boards that are added.")
@click.option("--prefix", default="sim", show_default=True, help="Boards are named PREFIX-1, PREFIX-2, …")
@click.option("--adc", type=click.IntRange(26, 29), default=26, show_default=True, help="Analogue pin with a slow wave on it.")
@stream_option
@click.pass_obj
def up(context, count, group, prefix, adc, output):
    """Run simulated boards, real MicroPython each, until Ctrl-C. Their flash is kept below the fleet's folder.

    With -o json, what happens is printed as one JSON object per line.
    """
    client = context.client
    if client.service() is None:
        raise FleetError("The service is not running, so boards have nothing to connect to. Start `fleet up` in another terminal.")
    from fleet import rehearsal

    boards = rehearsal.start_boards(client, group, count, prefix)
    say = _say_json if output == "json" else _say
    for board in boards:
        board.on_pin(lambda pin, value, name=board.name: say(name, pin=pin, value=value))
        board.on_console(lambda line, name=board.name: say(name, console=line))
        say(board.name, group=group)
    try:
        while True:
            rehearsal.drive(boards, adc)
            time.sleep(STEP_S)
    except KeyboardInterrupt:
        click.echo("Switching off.", err=True)
    finally:
        rehearsal.stop_boards(boards)


def _say(board, **what):
    click.echo(f"{board}  " + " ".join(str(value) if name == "console" else f"{name} {value}" for name, value in what.items()))


def _say_json(board, **what):
    click.echo(json.dumps({"board": board, **what}, ensure_ascii=False))
