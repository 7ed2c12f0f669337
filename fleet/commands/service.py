"""`fleet service`: another service beside the one of `fleet up`."""

import logging

import click

from fleet.output import emit, output_option


@click.command()
@click.option("--number", type=click.IntRange(2, 8), default=2, show_default=True, help="Which one this is: `fleet up` runs the first.")
@output_option
@click.pass_obj
def command(context, number, output):
    """Run another service on the fleet's database and broker, until Ctrl-C; they share the work. The broker must be mosquitto or EMQX."""
    from fleet.commands.up import make_bus, stop_on_signals
    from fleet.credentials import SERVICE_USERS
    from fleet.service import Service
    from fleet.store import open_store
    from fleet.vault import Vault

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    home = context.home.require()
    settings = home.settings()["broker"]
    store, stopped = open_store(home), stop_on_signals()
    bus = make_bus(home, (settings["host"], settings["port"]), settings, SERVICE_USERS[number - 1], True)
    emit({"service": number}, output, lambda _: f"Service {number} is working. Ctrl-C stops it.")
    try:
        Service(store, Vault.open(home.key_file), bus, f"{settings['host']}:{settings['port']}", keep_s=home.retention()).run(stopped)
    finally:
        store.close()
