"""What the command line can ask of a fleet: one interface, plain data in and out, put together from `fleet.calls`, one file per subject.

`LocalClient` works on the database; `fleet.web.remote.HttpClient` asks the same of a fleet elsewhere.
"""

import copy
import getpass
import os
import time

from fleet import signing
from fleet.calls.access import Access
from fleet.calls.boards import Boards
from fleet.calls.commands import Commands
from fleet.calls.keys import Keys
from fleet.calls.overview import Overview
from fleet.calls.records import Records
from fleet.calls.rollouts import Rollouts
from fleet.calls.webhooks import Webhooks
from fleet.errors import USAGE, FleetError, Taken
from fleet.home import Home
from fleet.model import Key
from fleet.store import Store, open_store
from fleet.vault import Vault

SERVICE_ALIVE_S = 5.0


def check_new(home):
    """Raise FleetError if there is a fleet in `home` already."""
    if home.exists:
        raise Taken(f"There is a fleet in {home.root} already. Remove that folder first if it is really to go.")


def init(home, passphrase, database="", tls=False, **broker):
    """Make a fleet in `home`: folders, settings, root and release key, database (at an URL, else SQLite), with `tls` certificates for the broker.
    Returns what was made, as plain data."""
    from fleet import certificates

    check_new(home)
    if broker.get("plain_port") and not tls:
        raise FleetError("A further port without TLS (--plain-port) is for fleets with TLS: add --tls, or use --port alone.", USAGE)
    if broker.get("plain_port") == broker.get("port", 0):
        raise FleetError(f"--plain-port and --port are both {broker['port']}: TLS and plain MQTT need a port each.", USAGE)
    home.create(database=database, **broker, **(certificates.paths(home) if tls else {}))
    if tls:
        certificates.make(home, [broker["host"]], passphrase)
    root, release = signing.SigningKey.generate(), signing.SigningKey.generate()
    root.save(home.root_key, passphrase)
    release.save(home.release_key, passphrase)
    Vault.create(home.key_file)
    store = Store(home.database_url())
    store.create()
    blob = signing.build_key_list(root, 1, [(release.public, signing.ALL_SCOPES, "release")])
    row = Key(kid=release.kid.hex(), name="release", public=release.public, scopes=list(signing.ALL_SCOPES), created=time.time())
    store.put_keys([row], 1, blob)
    store.put_setting("root", root.public.hex())
    store.audit(user(), "init", str(home.root))
    store.close()
    return {"home": str(home.root), "root": root.public.hex(), "release": release.kid.hex(), "encrypted": passphrase is not None}


def user():
    """The name that goes into the audit log for what this command does."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


class LocalClient(Boards, Rollouts, Records, Overview, Keys, Commands, Access, Webhooks):
    """The fleet in a `Home` of this machine, through its database."""

    def __init__(self, home, actor=None):
        self.home = home.require()
        self.actor = actor or user()
        self._store = open_store(home)

    def acting_as(self, actor):
        """A client on the same store whose acts the audit log puts down to `actor`."""
        other = copy.copy(self)
        other.actor = actor
        return other

    def close(self):
        """Close the database."""
        self._store.close()

    def service(self):
        """{"broker", "pid", "started"} of a running service, or None."""
        alive = self._store.live_services(SERVICE_ALIVE_S)
        return {"broker": alive[0].broker, "pid": alive[0].pid, "started": alive[0].started} if alive else None


def open_client(folder):
    """The client for the fleet in `folder`; FleetError if there is none."""
    return LocalClient(Home(folder))
