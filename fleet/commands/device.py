"""`fleet device`: boards and their keys."""

import sys
from pathlib import Path

import click

from fleet.commands.exec import command as execute
from fleet.commands.flash import PLAIN
from fleet.completion import BOARD, GROUP
from fleet.output import ago, as_fields, as_table, chosen, emit, filter_option, kib, module, output_option, wanted
from fleet.words import explain


def labels_of(row):
    """A board's labels as NAME=VALUE."""
    return [f"{name}={value}" for name, value in sorted(row["labels"].items())]


LIST = as_table(
    [
        ("BOARD", lambda d: d["id"]),
        ("GROUPS", lambda d: d["groups"]),
        ("STATE", lambda d: d["state"]),
        ("SEEN", lambda d: ago(d["seen"])),
        ("RUNS", module),
    ],
    "There are no boards yet. `fleet device add NAME --group GROUP` adds one.",
    [
        ("SHOULD RUN", wanted),
        ("HEALTH", lambda d: d["health"]),
        ("LABELS", labels_of),
        ("HEAP", lambda d: kib(d["free_heap"])),
        ("PORT", lambda d: d["port"]),
        ("TLS", lambda d: "yes" if d["tls"] else "no"),
        ("WHY", lambda d: d["why"]),
    ],
)

DOUBT = {
    None: "yes",
    "behind": "no: it reports, but knows nothing of its newest order. Somebody may keep it from hearing",
    "silent": "no: it is said to be online, but does not report. Somebody may keep it from being heard",
}
SHOW = as_fields(
    [
        ("Board", lambda d: d["id"]),
        ("Groups", lambda d: d["groups"]),
        ("Labels", labels_of),
        ("State", lambda d: d["state"]),
        ("Seen", lambda d: ago(d["seen"])),
        ("Health", lambda d: f"{d['health']}: {d['why']}" if d["why"] else d["health"]),
        ("Runs", module),
        ("Status", lambda d: f"{d['status']}: {explain(d['reason'])}" if d["reason"] else d["status"]),
        ("Should run", lambda d: d["desired"] and f"{d['desired']['module']} {d['desired']['version']} (seq {d['desired']['seq']})"),
        ("Fresh", lambda d: DOUBT[d["doubt"]]),
        ("May use", lambda d: d["capabilities"]),
        ("Executor", lambda d: d["executor"]),
        ("Port", lambda d: d["port"]),
        ("TLS", lambda d: "yes" if d["tls"] else "no: the network can read its orders, readings, log lines and MQTT password"),
        ("Free heap", lambda d: kib(d["free_heap"])),
        ("Boots", lambda d: d["report"] and d["report"]["boots"]),
        ("Wi-Fi", lambda d: f"{d['report']['rssi']} dBm" if d["report"] and d["report"]["rssi"] is not None else None),
    ]
)


@click.group()
def command():
    """Boards: add, list, label, show, exec, remove, provision-file."""


@command.command()
@click.argument("name")
@click.option("--group", "-g", type=GROUP, required=True, help="Group it belongs to; made if it is not there.")
@click.option("--cap", "capabilities", multiple=True, help="Capability to grant, such as gpio:15 or adc:*; all of them if none is named.")
@click.option("--plain", is_flag=True, help="In a fleet with TLS: it does without (the network can then read what it is told and says).")
@click.option("--no-flash", is_flag=True, help="Also set up the board on --port, which has MicroPython already (`fleet flash` does all from blank).")
@click.option("--port", help="With --no-flash: its serial port.")
@click.option("--wifi", "ssid", help="With --no-flash: its Wi-Fi network.")
@click.option("--wifi-password", envvar="WASMFLEET_WIFI_PASSWORD", help="Its password (or $WASMFLEET_WIFI_PASSWORD).")
@output_option
@click.pass_obj
def add(context, name, group, capabilities, plain, no_flash, port, ssid, wifi_password, output):
    """Add a board and make its key."""
    row = context.client.add_device(name, group, capabilities or None, plain=plain)
    if no_flash:
        from fleet.commands import flash

        flash.only_provision(context, port, group, name, (ssid, wifi_password), None, output)
        return
    emit(row, output, lambda d: f"Added {d['id']} to {group}. `fleet device provision-file {d['id']}` writes what it needs to know.")


@command.command("list")
@click.option("--group", "-g", type=GROUP, help="Only boards of this group.")
@click.option("--where", help="Only boards that meet this filter, such as 'label.site=north and board=pico_w'.")
@filter_option
@output_option
@click.pass_obj
def list_(context, group, where, conditions, output):
    """List boards."""
    emit(chosen(context.client.devices(group, where), conditions), output, LIST)


@command.command()
@click.argument("words", nargs=-1, required=True, metavar="BOARD... NAME=VALUE...", type=BOARD)
@output_option
@click.pass_obj
def label(context, words, output):
    """Put labels on boards, to be found by --where; NAME- takes one off."""
    boards = [word for word in words if "=" not in word and not word.endswith("-")]
    labels = {name: value for name, _, value in (word.partition("=") for word in words if "=" in word)}
    labels.update({word[:-1]: None for word in words if word.endswith("-") and "=" not in word})
    if not boards or not labels:
        raise click.UsageError("Name boards, then labels: fleet device label sim-1 sim-2 site=north old-")
    context.client.label(boards, labels)
    emit([{"device": board, "labels": labels} for board in boards], output, lambda _: f"Labelled {', '.join(boards)}.")


@command.command()
@click.argument("name", type=BOARD)
@output_option
@click.pass_obj
def show(context, name, output):
    """Show one board."""
    emit(context.client.device(name), output, SHOW)


@command.command()
@click.argument("name", type=BOARD)
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_option
@click.pass_obj
def remove(context, name, yes, output):
    """Remove a board: its key and password are void at once."""
    context.client.device(name)
    if not yes:
        click.confirm(f"Remove {name}? It must be provisioned anew to come back", abort=True)
    context.client.remove_device(name)
    emit({"removed": name}, output, lambda d: f"Removed {name}.")


command.add_command(execute)


@command.command("provision-file")
@click.argument("name", type=BOARD)
@click.option("--file", "path", type=click.Path(dir_okay=False), default="identity.cbor", show_default=True, help="Where to write it; - for stdout.")
@click.option("--ssid", help="Wi-Fi network.")
@click.option("--tls/--plain", "tls", default=None, help=PLAIN)
@click.option("--wifi-password", envvar="WASMFLEET_WIFI_PASSWORD", help="Its password (or $WASMFLEET_WIFI_PASSWORD).")
@output_option
@click.pass_obj
def provision_file(context, name, path, ssid, wifi_password, tls, output):
    """Write the board's identity file, which goes to /cfg/identity.cbor. It holds the board's key: keep it secret."""
    if tls is not None:
        context.client.set_plain([name], not tls)
    data = context.client.identity(name, (ssid, wifi_password))
    context.client.provisioned(name)
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    from fleet.home import write_secret

    write_secret(Path(path), data)
    emit({"device": name, "file": path}, output, lambda d: f"Wrote {path}. Copy it to /cfg/identity.cbor on {name}, then delete it here.")
