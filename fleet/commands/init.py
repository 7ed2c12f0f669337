"""`fleet init`: make a fleet."""

import click

from fleet.home import BROKER_KINDS
from fleet.output import as_fields, emit, output_option


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of this machine that boards are told.")
@click.option("--listen", help="Address that the broker listens on (default: this machine only for 127.0.0.1, else all).")
@click.option("--port", type=click.IntRange(1, 65535), envvar="FLEET_BROKER_PORT", default=1884, show_default=True, help="Port of the broker.")
@click.option("--web-listen", help="Address that the dashboard and the HTTP API listen on (default: this machine only).")
@click.option("--broker", "kind", type=click.Choice(BROKER_KINDS), default="auto", show_default=True, help="Which broker.")
@click.option("--tls", is_flag=True, help="Make the broker a certificate, and an authority that boards pin: all connections to it are encrypted.")
@click.option("--plain-port", type=click.IntRange(1, 65535), help="With --tls: a further port without it, for boards that are flashed with --plain.")
@click.option("--database", default="", help="URL of a database such as postgresql://user@host/fleet (default: SQLite in the fleet's folder).")
@click.option("--insecure-plain-keys", is_flag=True, help="Keep the signing keys without a passphrase: for tests and demos.")
@output_option
@click.pass_obj
def command(context, host, listen, port, web_listen, kind, tls, plain_port, database, insecure_plain_keys, output):
    """Make a fleet: keys, settings and database.

    The signing keys are encrypted with $WASMFLEET_PASSPHRASE, or with the passphrase you are asked for.
    """
    from fleet import client, passphrase

    client.check_new(context.home)
    secret = None if insecure_plain_keys else passphrase.new("the signing keys")
    listen = listen or ("127.0.0.1" if host in ("127.0.0.1", "localhost") else "0.0.0.0")
    address = {"host": host, "listen": listen, "port": port, "plain_port": plain_port or 0}
    made = client.init(context.home, secret, database, tls, web_listen=web_listen, kind=kind, **address)
    emit(made, output, lambda data: f"{FIELDS(data)}\n{_advice(context, data)}")


FIELDS = as_fields([("Fleet", lambda d: d["home"]), ("Root key", lambda d: d["root"]), ("Release key", lambda d: d["release"])])


def _advice(context, data):
    kept = "encrypted" if data["encrypted"] else "NOT encrypted"
    return (
        f"\nThe keys are {kept}. Keep {context.home.root_key} offline: it decides which keys may sign.\n"
        "Next: `fleet up` in a terminal of its own, then `fleet device add NAME --group GROUP`."
    )
