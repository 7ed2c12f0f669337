"""`fleet db`: care of the fleet's database."""

import base64
import json

import click

from fleet.output import emit, output_option


@click.group()
def command():
    """The database: upgrade, prune, export."""


@command.command()
@output_option
@click.pass_obj
def upgrade(context, output):
    """Bring the database to the version that this program needs, in one transaction. Stop `fleet up` and make a copy first."""
    from fleet.sql.upgrade import upgrade as bring_up
    from fleet.store import Store

    store = Store(context.home.require().database_url())
    before = store.version()
    if before is None:
        store.check()
    bring_up(store.engine)
    store.check().audit("fleet db", "upgrade", f"{before} to {store.version()}")
    emit({"from": before, "to": store.version()}, output, lambda d: f"The database has version {d['to']} now (it was {d['from']}).")


@command.command()
@click.option("--logs", "logs_days", type=click.FloatRange(0), required=True, help="Days of log lines to keep.")
@click.option("--telemetry", "telemetry_days", type=click.FloatRange(0), required=True, help="Days of readings to keep.")
@output_option
@click.pass_obj
def prune(context, logs_days, telemetry_days, output):
    """Delete old log lines and readings now; `fleet up` does so every hour, by [retention] in fleet.toml."""
    emit(context.client.prune(logs_days, telemetry_days), output, lambda d: f"Deleted {d['logs']} log lines and {d['readings']} readings.")


@command.command()
@click.argument("file", type=click.File("w", encoding="utf-8"))
@click.option("--table", "tables", multiple=True, help="Only this table; may be repeated (default: all but blob).")
@click.pass_obj
def export(context, file, tables):
    """Write the database as JSON lines, {"table", "row"} each, to FILE (- for stdout). Keys of boards and secrets are left out."""
    from fleet.errors import USAGE, FleetError
    from fleet.store import open_store

    store = open_store(context.home.require())
    for name in tables:
        if name not in store.tables():
            raise FleetError(f"There is no table {name}. There are: {', '.join(store.tables())}.", USAGE)
    for name in tables or [name for name in store.tables() if name != "blob"]:
        for row in store.export(name):
            file.write(json.dumps({"table": name, "row": row}, default=_text) + "\n")
    store.close()


def _text(value):
    """Bytes as base64."""
    return base64.b64encode(value).decode()
