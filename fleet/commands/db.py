"""`fleet db`: care of the fleet's database."""

import click

from fleet.output import emit, output_option


@click.group()
def command():
    """The database: upgrade."""


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
