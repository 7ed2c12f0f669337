"""`fleet broker`: what a broker that `fleet up` does not run has to be told, and a certificate for either."""

from pathlib import Path

import click

from fleet.output import emit, output_option


@click.group()
def command():
    """Files for the broker: config, certify."""


@command.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(["mosquitto", "emqx"]), default="mosquitto", show_default=True, help="Which broker.")
@click.option("--listen", help="Address that it listens on (default: the one in fleet.toml).")
@click.option("--path", help="Where the files will lie on the broker's machine (default: FOLDER here).")
@click.option("--user", help="mosquitto, started by root: whom it becomes, and whom the files belong to when you are root.")
@output_option
@click.pass_obj
def config(context, folder, kind, listen, path, user, output):
    """Write configuration, users and rules of a broker into FOLDER: every board its own user and its own topics.

    Write it again when boards come or go: then send mosquitto SIGHUP, or start EMQX again. Port, TLS and the address that boards are told are in
    fleet.toml.
    """
    from fleet import broker, brokerfiles, home
    from fleet.store import open_store
    from fleet.vault import Vault

    settings = context.home.require().settings()["broker"]
    where, listen = path or folder.absolute(), listen or settings["listen"]
    store = open_store(context.home)
    known = broker.users(context.home, store, Vault.open(context.home.key_file))
    store.close()
    if kind == "emqx":
        files = {**brokerfiles.emqx(where, settings, listen), "users.csv": brokerfiles.emqx_users(known)}
    else:
        files = {**brokerfiles.mosquitto(where, settings, listen, user), "passwords": brokerfiles.mosquitto_users(known)}
        (folder / "data").mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        home.write_secret(folder / name, text.encode())
    if user:
        _give(folder, user)
    facts = {"kind": kind, "folder": str(folder), "files": sorted(files), "users": len(known)}
    emit(facts, output, lambda d: f"Wrote {', '.join(d['files'])} to {d['folder']}: {d['users']} users, passwords as hashes. Keep them private.")


@command.command()
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@output_option
@click.pass_obj
def certify(context, hosts, output):
    """Make the broker another certificate, for the address that boards are told and further HOSTs; it counts when the broker starts again.

    The authority that boards pin stays: its key, keys/authority.key, is needed for this alone and may be kept offline else.
    """
    from fleet import certificates, passphrase

    home = context.home.require()
    names = [home.settings()["broker"]["host"], *hosts]
    certificates.renew(home, names, lambda: passphrase.of_key(home.authority_key))
    facts = {"certificate": certificates.paths(home)["tls_cert"], "hosts": names}
    emit(facts, output, lambda d: f"Wrote {d['certificate']} for {', '.join(d['hosts'])}.")


def _give(folder, user):
    """Make `user` the owner of the files, where root asks for it; FleetError if there is no such user here."""
    import os
    import shutil

    from fleet.errors import FleetError

    if os.getuid():
        return
    try:
        for each in (folder, *folder.iterdir()):
            shutil.chown(each, user)
    except LookupError as error:
        raise FleetError(f"There is no user {user} on this machine. Name the broker's user with --user.") from error
