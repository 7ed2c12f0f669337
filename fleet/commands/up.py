"""`fleet up`: broker and service of a small site in one go."""

import contextlib
import fcntl
import logging
import signal
import threading

import click

from fleet.errors import FleetError
from fleet.home import BROKER_KINDS
from fleet.output import emit, output_option


@click.command()
@click.option("--broker", "kind", type=click.Choice(BROKER_KINDS), help="Which broker; external: elsewhere (default: that in fleet.toml).")
@click.option("--web-port", type=click.IntRange(0, 65535), help="Port of the dashboard; 0 takes any that is free (default: the one in fleet.toml).")
@click.option("--no-web", is_flag=True, help="No dashboard and no HTTP API.")
@click.option("--signer", "key", type=click.Path(dir_okay=False), help="Sign for users of the dashboard with this key, in a process of its own.")
@output_option
@click.pass_obj
def command(context, kind, web_port, no_web, key, output):
    """Run the broker, the service and the dashboard of this fleet, until Ctrl-C."""
    home = context.home.require()
    with _alone(home):
        _run(home, kind, None if no_web else _web_settings(home, web_port), key, output)


def _web_settings(home, port):
    """The [web] table of fleet.toml, with the port of the command line."""
    settings = home.settings()["web"]
    return settings if port is None else {**settings, "port": port, "otherwise_any": False}


@contextlib.contextmanager
def _alone(home):
    """Hold the lock of this home; FleetError if another `fleet up` does."""
    with open(home.lock, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FleetError(f"`fleet up` is running already for {home.root}.") from error
        yield


def _run(home, kind, web, key, output):
    from fleet.broker import EMBEDDED, make
    from fleet.credentials import SERVICE_USER
    from fleet.service import Service
    from fleet.store import open_store
    from fleet.vault import Vault

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    store, vault = open_store(home), Vault.open(home.key_file)
    broker = make(home, store, vault, kind)
    signer = _start_signer(home, key) if key else None
    stopped = stop_on_signals()
    broker.start()
    site = None
    try:
        site, link = _start_web(home, store, web) if web else (None, None)
        emit({"broker": broker.kind, "host": broker.host, "port": broker.port, "dashboard": link}, output, lambda _: _greeting(broker, link))
        bus = make_bus(home, broker.address, broker.settings, SERVICE_USER, broker.kind != EMBEDDED)
        service = Service(store, vault, bus, f"{broker.kind} on {broker.host}:{broker.port}", keep_s=home.retention())
        service.run(stopped, lambda: _watch(broker, site, signer))
    finally:
        for each in (site, signer, broker):
            if each:
                each.stop()
        store.close()
    if output == "table":
        click.echo("Stopped.")


def _start_signer(home, key):
    from fleet.signer import SignerProcess

    return SignerProcess(home, key)


def make_bus(home, address, settings, user, shared):
    """The bus of a service; `shared` where the broker can share subscriptions among services."""
    from fleet import bus
    from fleet.broker import service_password
    from fleet.service import RETAINED, SUBSCRIPTIONS

    filters, retained = (bus.share(SUBSCRIPTIONS), RETAINED) if shared else (SUBSCRIPTIONS, ())
    return bus.Bus(*address, user, service_password(home), filters, settings["tls_ca"] or None, retained=retained)


def stop_on_signals():
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _start_web(home, store, settings):
    """(web process, link with a token) of the dashboard."""
    from fleet.web import process

    listener = process.open_socket(settings["listen"], settings["port"], settings.get("otherwise_any", True))
    site = process.WebProcess(home, listener)
    site.start()
    return site, f"{process.url_of(listener, settings)}/#token={process.link_token(home, store)}"


def _watch(*processes):
    for process in processes:
        done = process.watch() if process else None
        if done:
            logging.getLogger("fleet.up").warning(done)


def _plainly(settings):
    """What the greeting says of a further port without TLS."""
    return f" with TLS, on {settings['plain_port']} without" if settings["tls_cert"] and settings["plain_port"] else ""


def _greeting(broker, link):
    text = f"Fleet is up: {broker.kind} on {broker.host}:{broker.port}{_plainly(broker.settings)}. Ctrl-C stops it."
    if link:
        text += f"\nDashboard: {link}"
    if broker.kind == "embedded":
        text += "\nThis is the embedded broker, for simulated boards on this machine only. Install mosquitto for real boards."
    return text
