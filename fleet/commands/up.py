"""`fleet up`: broker and service of a small site in one go."""

import contextlib
import fcntl
import logging
import signal
import threading

import click

from fleet.errors import FleetError
from fleet.output import emit, output_option


@click.command()
@click.option("--broker", "kind", type=click.Choice(["auto", "mosquitto", "embedded"]), help="Which broker (default: the one in fleet.toml).")
@output_option
@click.pass_obj
def command(context, kind, output):
    """Run the broker and the service of this fleet, until Ctrl-C."""
    home = context.home.require()
    with _alone(home):
        _run(home, kind, output)


@contextlib.contextmanager
def _alone(home):
    """Hold the lock of this home; FleetError if another `fleet up` does."""
    with open(home.lock, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FleetError(f"`fleet up` is running already for {home.root}.") from error
        yield


def _run(home, kind, output):
    from fleet.broker import Broker, service_password
    from fleet.bus import Bus
    from fleet.credentials import SERVICE_USER
    from fleet.service import SUBSCRIPTIONS, Service
    from fleet.store import open_store
    from fleet.vault import Vault

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    store, vault = open_store(home), Vault.open(home.key_file)
    broker = Broker(home, store, vault, kind)
    stopped = _stop_on_signals()
    broker.start()
    try:
        emit({"broker": broker.kind, "host": broker.host, "port": broker.port}, output, lambda _: _greeting(broker))
        bus = Bus(*broker.address, SERVICE_USER, service_password(home), SUBSCRIPTIONS, broker.settings["tls_ca"] or None)
        Service(store, vault, bus, f"{broker.kind} on {broker.host}:{broker.port}").run(stopped, lambda: _watch(broker))
    finally:
        broker.stop()
        store.close()
    if output == "table":
        click.echo("Stopped.")


def _stop_on_signals():
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _watch(broker):
    done = broker.watch()
    if done:
        logging.getLogger("fleet.up").warning(done)


def _greeting(broker):
    text = f"Fleet is up: {broker.kind} on {broker.host}:{broker.port}. Ctrl-C stops it."
    if broker.kind == "embedded":
        text += "\nThis is the embedded broker, for simulated boards on this machine only. Install mosquitto for real boards."
    return text
