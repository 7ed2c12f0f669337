"""`fleet status`: what every board runs and how it is."""

import click

from fleet.completion import GROUP
from fleet.output import ago, as_table, chosen, emit, filter_option, for_people, kib, module, output_option, wanted
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
    [
        ("GROUPS", lambda d: d["groups"]),
        ("SHOULD RUN", wanted),
        ("HEALTH", lambda d: d["health"]),
        ("PORT", lambda d: d["port"]),
        ("TLS", lambda d: "yes" if d["tls"] else "no"),
    ],
)


@click.command()
@click.option("--group", "-g", type=GROUP, help="Only boards of this group.")
@filter_option
@output_option
@click.pass_obj
def command(context, group, conditions, output):
    """What every board runs and how it is."""
    service, boards = context.client.service(), chosen(context.client.devices(group), conditions)
    emit({"service": service, "devices": boards} if for_people(output) or output == "json" else boards, output, _text)


def _text(data, boards=BOARDS):
    service = data["service"]
    first = f"Service running, broker {service['broker']}." if service else "The service is not running: start it with `fleet up`."
    return f"{first}\n\n{boards(data['devices'])}"


_text.wide = lambda data: _text(data, BOARDS.wide)
