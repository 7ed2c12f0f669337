"""`fleet webhook`: addresses that are told what becomes of rollouts."""

import click

from fleet.output import as_table, chosen, emit, filter_option, output_option
from fleet.webhooks import NAMES

LIST = as_table(
    [
        ("WEBHOOK", lambda d: d["name"]),
        ("URL", lambda d: d["url"]),
        ("EVENTS", lambda d: d["events"] or "all"),
        ("LAST", lambda d: d["status"]),
        ("FAILED", lambda d: d["attempts"] or None),
    ],
    "There are no webhooks yet. `fleet webhook add NAME URL` makes one.",
)


@click.group()
def command():
    """Addresses that are told what becomes of rollouts: add, list, remove."""


@command.command()
@click.argument("name")
@click.argument("url")
@click.option("--event", "events", multiple=True, type=click.Choice(NAMES), metavar="EVENT", help=f"Only these; may be repeated: {', '.join(NAMES)}.")
@output_option
@click.pass_obj
def add(context, name, url, events, output):
    """Tell URL of rollouts from now on, by POST requests that are signed and tried again for a day; `fleet up` sends them."""
    made = context.client.add_webhook(name, url, list(events) or None)
    emit(made, output, lambda d: f"Secret: {d['secret']}\nIt signs every request and is not shown again. docs/sites.md tells how to check that.")


@command.command("list")
@filter_option
@output_option
@click.pass_obj
def list_(context, conditions, output):
    """List webhooks, and how the last delivery went."""
    emit(chosen(context.client.webhooks(), conditions), output, LIST)


@command.command()
@click.argument("name")
@output_option
@click.pass_obj
def remove(context, name, output):
    """Tell that address no more."""
    context.client.remove_webhook(name)
    emit({"removed": name}, output, lambda d: f"Removed {name}.")
