"""`fleet token`: who may use the HTTP API and the dashboard."""

import click

from fleet.completion import TOKEN
from fleet.output import ago, as_table, chosen, day, emit, filter_option, output_option
from fleet.tokens import ROLES

LIST = as_table(
    [
        ("TOKEN", lambda d: d["name"]),
        ("ROLE", lambda d: d["role"]),
        ("MADE BY", lambda d: d["created_by"]),
        ("MADE", lambda d: ago(d["created"])),
        ("USED", lambda d: ago(d["used"])),
        ("EXPIRES", lambda d: day(d["expires"])),
    ],
    "There are no tokens yet. `fleet token create NAME --role viewer` makes one.",
)


@click.group()
def command():
    """Who may use the HTTP API and the dashboard: create, list, revoke."""


@command.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="viewer reads, operator pushes, admin does all.")
@click.option("--days", type=click.IntRange(1, 36500), help="Void after so many days (default: never).")
@output_option
@click.pass_obj
def create(context, name, role, days, output):
    """Make a token and show it, this once: only its hash is kept."""
    made = context.client.create_token(name, role, days)
    emit(made, output, lambda d: f"{d['secret']}\nIt is not shown again. It goes into $FLEET_TOKEN, or into the header Authorization: Bearer.")


@command.command("list")
@filter_option
@output_option
@click.pass_obj
def list_(context, conditions, output):
    """List the tokens."""
    emit(chosen(context.client.tokens(), conditions), output, LIST)


@command.command()
@click.argument("name", type=TOKEN)
@output_option
@click.pass_obj
def revoke(context, name, output):
    """Make a token void at once."""
    context.client.revoke_token(name)
    emit({"revoked": name}, output, lambda d: f"Revoked {name}.")
