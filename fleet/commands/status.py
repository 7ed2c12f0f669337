"""`fleet status`: what every board runs and how it is."""

import click

from fleet.output import ago, as_table, emit, kib, module, output_option
from fleet.words import explain

BOARDS = as_table(
    [
        ("BOARD", lambda d: d["id"]),
        ("STATE", lambda d: d["state"]),
        ("SEEN", lambda d: ago(d["seen"])),
        ("RUNS", module),
        ("UPDATE", lambda d: d["status"]),
        ("EXECUTOR", lambda d: d["executor"]),
        ("HEAP", lambda d: kib(d["free_heap"])),
        ("REASON", lambda d: explain(d["reason"]) if d["reason"] else None),
    ],
    "There are no boards yet. `fleet device add NAME --group GROUP` adds one.",
)


@click.command()
@click.option("--group", "-g", help="Only boards of this group.")
@output_option
@click.pass_obj
def command(context, group, output):
    """What every board runs and how it is."""
    service = context.client.service()
    emit({"service": service, "devices": context.client.devices(group)}, output, _text)


def _text(data):
    service = data["service"]
    first = f"Service running, broker {service['broker']}." if service else "The service is not running: start it with `fleet up`."
    return f"{first}\n\n{BOARDS(data['devices'])}"
