"""A PostgreSQL server of our own: in a temporary folder, on a Unix socket, as an unprivileged user where we are root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

START_S = 30


def find_programs():
    """The folder with the server's programs, or None; Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    folders = ([Path(found).resolve().parent] if found else []) + sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if all((folder / name).exists() for name in ("initdb", "postgres", "pg_isready"))), None)


class Postgres:
    """A running server; `url(name)` makes an empty database and gives its URL. `durable=False` is quicker, for tests."""

    def __init__(self, durable=False):
        self._programs = find_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="wasmfleet-pg-"))
        self._user = self._unprivileged()
        self._made = 0
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", "data", "-U", "fleet", "--auth=trust", "-E", "UTF8", "--no-sync")
        settings = ["listen_addresses=", f"unix_socket_directories={self._folder}", "max_connections=50"]
        settings += [] if durable else ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        self._log = open(self._folder / "server.log", "wb")
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", "data", *options], cwd=self._folder, stdout=self._log, stderr=self._log, user=self._user
        )
        self._wait()

    @staticmethod
    def _unprivileged():
        """The user to run as, None for this one: PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return None
        names = {entry.pw_name for entry in pwd.getpwall()}
        return "postgres" if "postgres" in names else "nobody"

    def _run(self, program, *arguments):
        command = [self._programs / program, *arguments]
        subprocess.run(command, cwd=self._folder, user=self._user, check=True, capture_output=True, timeout=60)

    def _wait(self):
        deadline = time.monotonic() + START_S
        while not (self._folder / ".s.PGSQL.5432").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "server.log").read_text())
            time.sleep(0.05)
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", self._folder], check=False).returncode and time.monotonic() < deadline:
            time.sleep(0.05)

    @property
    def pid(self):
        """The id of the server's process."""
        return self._process.pid

    def url(self, name=None):
        """The URL of a new, empty database."""
        import psycopg

        self._made += 1
        name = name or f"fleet{self._made}"
        with psycopg.connect(host=str(self._folder), user="fleet", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://fleet@/{name}?host={self._folder}"

    def stop(self):
        """End the server and remove its folder."""
        self._process.send_signal(signal.SIGINT)  # do not wait for clients
        self._process.wait(20)
        self._log.close()
        shutil.rmtree(self._folder)
