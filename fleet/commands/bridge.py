"""`fleet bridge`: the fleet as other systems know it."""

import logging
import os
import signal
import threading
from urllib.parse import unquote, urlsplit

import click

from fleet.errors import USAGE, FleetError

PORTS = {"mqtt": 1883, "mqtts": 8883}


@click.group()
def command():
    """The fleet in other systems: home-assistant."""


@command.command("home-assistant")
@click.argument("broker", metavar="URL")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust, for mqtts (default: the system's).")
@click.option("--switch", "switches", multiple=True, metavar="NAME", help="A reading that the module takes from its config too: a switch.")
@click.pass_obj
def home_assistant(context, broker, ca, switches):
    """Show boards and their readings in Home Assistant, until Ctrl-C.

    URL is the broker that Home Assistant uses: mqtt://USER@HOST:PORT, or mqtts:// for TLS; the password is in $FLEET_BRIDGE_PASSWORD. The fleet may
    be here, or elsewhere with --server.

    Relays are shown as on or off. With --switch relay they can be switched: each board gets `config set relay=1` or `0`, and its module, which must
    heed that, starts anew with it.
    """
    from fleet.bridge import SUBSCRIPTIONS, Bridge
    from fleet.bus import Bus
    from fleet.homeassistant import AVAILABLE

    host, port, user, secure = address(broker)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    trusted = (ca or system_certificates()) if secure else None
    bus = Bus(host, port, user, os.environ.get("FLEET_BRIDGE_PASSWORD", ""), SUBSCRIPTIONS, trusted, (AVAILABLE, "offline"))
    click.echo(f"Bridging to {host}:{port}. Ctrl-C stops it.")
    Bridge(context.client, bus, switches).run(stopped)


def address(url):
    """(host, port, user, TLS or not) of a broker's URL; FleetError if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FleetError(f"{url} is not the address of a broker: {error}.", USAGE) from error
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
        raise FleetError(f"{url} is not the address of a broker: write mqtt://USER@HOST:PORT or mqtts://…", USAGE)
    return parts.hostname, port or PORTS[parts.scheme], unquote(parts.username or "fleet-bridge"), parts.scheme == "mqtts"


def system_certificates():
    """The file of the certificates that this system trusts."""
    import ssl

    found = ssl.get_default_verify_paths().cafile
    if not found:
        raise FleetError("This system has no file of trusted certificates: name one with --ca.")
    return found
