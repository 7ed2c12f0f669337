"""`fleet group`: named sets of boards."""

import click

from fleet.completion import BOARD, GROUP
from fleet.output import as_table, chosen, emit, filter_option, output_option

LIST = as_table(
    [("GROUP", lambda d: d["name"]), ("BOARDS", lambda d: d["boards"])],
    "There are no groups yet. `fleet group create NAME` makes one, and so does `fleet device add`.",
)


@click.group()
def command():
    """Groups of boards: create, add, remove, list."""


@command.command("list")
@filter_option
@output_option
@click.pass_obj
def list_(context, conditions, output):
    """List groups."""
    emit(chosen(context.client.groups(), conditions), output, LIST)


@command.command()
@click.argument("name")
@output_option
@click.pass_obj
def create(context, name, output):
    """Make an empty group."""
    context.client.add_group(name)
    emit({"name": name, "boards": 0}, output, lambda d: f"Made group {name}.")


@command.command()
@click.argument("name", type=GROUP)
@click.argument("boards", nargs=-1, required=True, type=BOARD)
@output_option
@click.pass_obj
def add(context, name, boards, output):
    """Put boards into a group."""
    context.client.join_group(name, boards)
    emit({"name": name, "added": list(boards)}, output, lambda d: f"Added {', '.join(boards)} to {name}.")


@command.command()
@click.argument("name", type=GROUP)
@click.argument("boards", nargs=-1, required=True, type=BOARD)
@output_option
@click.pass_obj
def remove(context, name, boards, output):
    """Take boards out of a group; what they run stays."""
    context.client.leave_group(name, boards)
    emit({"name": name, "removed": list(boards)}, output, lambda d: f"Took {', '.join(boards)} out of {name}.")
