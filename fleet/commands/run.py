"""`fleet run`: run a module on this machine, with pretended pins."""

import json
from pathlib import Path

import click

from fleet.errors import TIMEOUT
from fleet.output import stream_option

INTERRUPTED = 130


class Wired(click.ParamType):
    """``N=V``: what pin number N reads, up to `most`."""

    name = "N=V"

    def __init__(self, most):
        self.most = most

    def convert(self, value, param, ctx):
        """The pair of ints."""
        try:
            pin, level = (int(part, 0) for part in value.split("="))
        except ValueError:
            self.fail(f"{value} is not of the form N=V.", param, ctx)
        if not 0 <= level <= self.most:
            self.fail(f"{level} is not between 0 and {self.most}.", param, ctx)
        return pin, level


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("arguments", nargs=-1)
@click.option("--entry", help="Export to call, or several with commas (default: _start, else setup then loop, else main).")
@click.option("--fuel", type=click.IntRange(1), help="Stop after this many slot operations.")
@click.option("--time", "seconds", type=click.FloatRange(0, min_open=True), help="Stop after this many seconds.")
@click.option("--pin", "pins", type=Wired(1), multiple=True, help="Level that a pin reads (default 0).")
@click.option("--adc", "adcs", type=Wired(65535), multiple=True, help="Value that an analogue pin reads (default 32768).")
@click.option("--env", "environ", multiple=True, metavar="KEY=VALUE", help="An entry of the guest's environment: its config on a board.")
@click.option("--memory", type=click.IntRange(1), help="Bytes of linear memory that may be committed (default: 64 MiB).")
@click.option("--ahead", is_flag=True, help="Sleep without waiting: the guest's clocks jump.")
@stream_option
def command(file, arguments, entry, fuel, seconds, pins, adcs, environ, memory, ahead, output):
    """Run the WebAssembly module FILE here, as a board would; ARGUMENTS are the guest's own, or the numbers that an entry takes.

    What it does is printed as it happens: pins and buses, telemetry, and its log. Arguments that begin with a dash follow a --.

    Exit codes: the guest's own; 134 a trap, 5 a limit was reached, 130 stopped with Ctrl-C, 1 it would be refused.
    """
    from fleet.locally import Limits, Run

    tell = as_json if output == "json" else as_text
    run = Run(file.read_bytes(), str(file), tell, Limits(fuel, seconds, memory), pins, adcs, ahead)
    try:
        ending = run.run(entry, arguments, dict(pair.partition("=")[::2] for pair in environ))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
        click.get_current_context().exit(INTERRUPTED)
    if output == "json":
        click.echo(json.dumps({"event": "end", **vars(ending), "steps": run.used}))
    else:
        show(ending, file)
    click.get_current_context().exit(TIMEOUT if ending.how == "limit" else ending.code)


def as_json(kind, **facts):
    """An act of the guest as one line of JSON."""
    click.echo(json.dumps({"event": kind, **facts}, ensure_ascii=False))


def as_text(kind, **facts):
    """An act of the guest as a line for people; its log as it is, errors on standard error."""
    if kind == "log":
        click.echo(facts["text"], err=facts["level"] > 1)
    elif kind == "pin":
        click.echo(f"pin {facts['number']} = {facts['level']}")
    elif kind == "mode":
        click.echo(f"pin {facts['number']} is {facts['mode']}")
    elif kind == "telemetry":
        click.echo(f"telemetry {facts['name']} = {scaled(facts['value'], facts['scale'])}")
    else:
        more = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "number" and value not in ("", []))
        click.echo(f"{kind} {facts['number']}{': ' if more else ''}{more}")


def scaled(value, scale):
    """`value` times ten to the power of `scale`, exact."""
    from decimal import Decimal

    return f"{Decimal(value).scaleb(scale):f}"


def show(ending, file):
    """How it ended."""
    for result in ending.results:
        click.echo(result)
    if ending.how == "limit":
        click.echo(f"{file.name} {ending.sentence}.", err=True)
    if ending.how == "trap":
        click.echo(f"Error: {file.name} trapped: {ending.sentence}.", err=True)
        for frame in ending.frames:
            place = f"bytes {frame['start']} to {frame['end']}, slot {frame['unit']}" if frame["start"] is not None else "host"
            click.echo(f"  at {frame['name'] or 'function'} (function {frame['function']}, {place})", err=True)
