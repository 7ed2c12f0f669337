"""Where a fleet lives on disk: the folder, its settings file and its secrets."""

import json
import os
import tomllib
from pathlib import Path

from fleet.errors import FleetError

SETTINGS = """\
# Settings of this fleet. `fleet up` reads them when it starts.

[broker]
kind = "{kind}"           # auto, mosquitto, embedded, or external: one that runs elsewhere (fleet broker config)
listen = "{listen}"       # address that the broker listens on
host = "{host}"           # address that boards are told
port = {port}
tls_ca = "{tls_ca}"            # with tls_ca, tls_cert and tls_key (PEM files) the broker speaks TLS
tls_cert = "{tls_cert}"
tls_key = "{tls_key}"
plain_port = {plain_port}            # with TLS: a further port without it, for the boards that are given it (--plain); 0: none

[web]
listen = "{web_listen}"      # address that the dashboard and the HTTP API listen on; 0.0.0.0 for all (then use TLS)
port = {web_port}               # 0: any that is free
host = ""                 # name or address in the link that `fleet up` prints; empty: the one above
tls_cert = ""             # with tls_cert and tls_key (PEM files) it speaks TLS
tls_key = ""

[retention]               # days that are kept; 0: for ever
logs_days = 30
telemetry_days = 30

[database]
url = {database}                  # empty: fleet.db in this folder
"""

BROKER_KINDS = ("auto", "mosquitto", "embedded", "external")
_WEB = {"listen": "127.0.0.1", "port": 8484, "host": "", "tls_cert": "", "tls_key": ""}
_RETENTION = {"logs_days": 30, "telemetry_days": 30}
_BROKER = {"kind": "auto", "listen": "127.0.0.1", "host": "127.0.0.1", "port": 1884, "tls_ca": "", "tls_cert": "", "tls_key": "", "plain_port": 0}


def default_home():
    """The folder that commands use: $WASMFLEET_HOME, ./.wasmfleet if it is there, else the user's data folder."""
    named = os.environ.get("WASMFLEET_HOME")
    if named:
        return Path(named)
    here = Path(".wasmfleet")
    return here if here.is_dir() else Path.home() / ".local" / "share" / "wasmfleet"


class Home:
    """The files of one fleet below `root`."""

    def __init__(self, root):
        self.root = Path(root)
        self.settings_path = self.root / "fleet.toml"
        self.database_path = self.root / "fleet.db"
        self.key_file = self.root / "device-keys.key"
        self.keys = self.root / "keys"
        self.root_key = self.keys / "root.key"
        self.release_key = self.keys / "release.key"
        self.authority_key = self.keys / "authority.key"
        self.broker = self.root / "broker"
        self.lock = self.root / "up.lock"
        self.signer_socket = self.root / "signer.sock"

    @property
    def exists(self):
        """Whether `fleet init` was run here."""
        return self.settings_path.is_file()

    def require(self):
        """Return self, or raise FleetError if there is no fleet here."""
        if not self.exists:
            raise FleetError(f"There is no fleet in {self.root}. Run `fleet init` first, or name its folder with --home.")
        return self

    def create(self, web_port=None, database="", web_listen=None, **broker):
        """Make the folders (0700) and write the settings; `broker` overrides the broker's settings of that name."""
        for folder in (self.root, self.keys, self.broker):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        given = {**_BROKER, **broker, "web_port": _WEB["port"] if web_port is None else web_port, "web_listen": web_listen or _WEB["listen"]}
        self.settings_path.write_text(SETTINGS.format(**given, database=json.dumps(database)))

    def settings(self):
        """The settings as {"broker": {...}, "web": {...}, "retention": {...}, "database": {...}}, defaults filled in."""
        try:
            read = tomllib.loads(self.settings_path.read_text())
        except tomllib.TOMLDecodeError as error:
            raise FleetError(f"{self.settings_path} is not valid TOML: {error}. Mend it and try again.") from error
        web = {**_WEB, **read.get("web", {})}
        kept = {**_RETENTION, **read.get("retention", {})}
        database = {"url": "", **read.get("database", {})}
        return {"broker": {**_BROKER, **read.get("broker", {})}, "web": web, "retention": kept, "database": database}

    def retention(self):
        """(seconds that log lines are kept, seconds that readings are), None for ever. FleetError if a setting is no number."""
        kept = self.settings()["retention"]
        for name, days in kept.items():
            if isinstance(days, bool) or not isinstance(days, (int, float)) or days < 0:
                raise FleetError(f"{name} in {self.settings_path} must be a number of days, 0 for ever.")
        return tuple(86400 * kept[name] or None for name in ("logs_days", "telemetry_days"))

    def database_url(self):
        """The database's URL: the one in the settings, else SQLite in this folder."""
        return self.settings()["database"]["url"] or f"sqlite:///{self.database_path}"


def write_secret(path, data):
    """Write `data` (bytes) to `path` so that only this user can read it, replacing what was there at once."""
    temporary = path.parent / f"{path.name}.new"
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    os.replace(temporary, path)
