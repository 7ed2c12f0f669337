"""`fleet ports`: what is plugged in."""

import dataclasses

import click

from fleet.output import as_table, emit, output_option

TABLE = as_table(
    [
        ("PORT", lambda d: d["name"]),
        ("WHAT", lambda d: d["what"]),
        ("BOARD", lambda d: d["kinds"]),
        ("SERIAL", lambda d: d["serial"]),
    ],
    "Nothing is plugged in. A Pico shows a drive while BOOTSEL is held; other boards need a cable that carries data.",
)


@click.command()
@output_option
@click.pass_obj
def command(context, output):
    """List serial ports and boot drives, and the kinds of boards they may be."""
    from firmware import ports

    rows = [{**dataclasses.asdict(port), "kinds": list(port.kinds)} for port in ports.everything()]
    emit(rows, output, TABLE)
