"""A whole fleet for tests: a home in a temporary folder, the CLI in this process, `fleet up` as a process of its own, fake boards."""

import contextlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from fleet.broker import find_mosquitto, free_port
from fleet.cli import run
from fleet.client import LocalClient
from fleet.home import Home
from tests.fakes.mqtt_board import FakeBoard

REPO = Path(__file__).resolve().parents[2]
BROKERS = ["embedded"] + (["mosquitto"] if find_mosquitto() else [])

# (module (func (export "_start")))
TINY = b"\0asm\1\0\0\0" + bytes.fromhex("01040160000003020100070a01065f73746172740000" + "0a040102000b")


def wasm(filler=0, mark=b""):
    """A valid module of some `filler` bytes, a custom section; `mark` makes it another module."""
    content = b"\4fill" + mark + bytes(range(256)) * (filler // 256)
    return TINY + b"\0" + leb(len(content)) + content


def leb(value):
    """Unsigned LEB128 (spec 5.2.2)."""
    out = bytearray()
    while True:
        out.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return bytes(out)


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The output, parsed."""
        return json.loads(self.out)


def wait(condition, seconds=15.0, what=""):
    """Wait until `condition()` is true and return what it returned; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s in vain {what}"
        time.sleep(0.02)


class Site:
    """A fleet below `folder`."""

    def __init__(self, folder, broker="embedded"):
        self.home = Home(folder / "home")
        self.folder = folder
        self.broker = broker
        self.port = free_port()
        self.boards = []
        self._up = None
        self._client = None

    def fleet(self, *arguments):
        """Run a command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["--home", str(self.home.root), *map(str, arguments)])
        return Result(code, out.getvalue(), err.getvalue())

    def ok(self, *arguments):
        """Run a command that must succeed."""
        result = self.fleet(*arguments)
        assert result.code == 0, result
        return result

    def init(self, *options):
        """Make the fleet."""
        self.ok("init", "--insecure-plain-keys", "--port", self.port, "--broker", self.broker, *options)
        return self

    def spawn(self, *arguments):
        """Run a command as a process."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "device")]), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "fleet", "--home", str(self.home.root), *map(str, arguments)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def up(self, *options):
        """Start `fleet up` and wait until its service works; without its web server, unless `options` say otherwise."""
        self._up = self.spawn("up", *(options or ["--no-web"]))
        wait(lambda: self._up.poll() is not None or self._serves(), what="for the service")
        assert self._up.poll() is None, self._up.stdout.read()
        return self

    def _serves(self):
        return any(service.pid == self._up.pid for service in self.store().live_services(5))

    def down(self, number=signal.SIGTERM):
        """End `fleet up` and return what it printed."""
        self._up.send_signal(number)
        return self._up.communicate(timeout=15)[0]

    def running(self):
        """Whether `fleet up` runs."""
        return self._up is not None and self._up.poll() is None

    def client(self):
        """The client of this process."""
        self._client = self._client or LocalClient(self.home)
        return self._client

    def store(self):
        """The database, in this process."""
        return self.client()._store

    def board(self, name, group="greenhouse", **behaviour):
        """Add a board and start its fake; waits until the service knows that it is ready."""
        self.ok("device", "add", name, "--group", group)
        return self.board_again(name, **behaviour)

    def board_again(self, name, **behaviour):
        """Start the fake of a board that was added."""
        fake = FakeBoard(self.client().identity(name), **behaviour)
        self.boards.append(fake)
        wait(lambda: self.client().device(name)["state"] == "ready", what=f"for {name}")
        return fake

    def module(self, name="sensor", filler=0, mark=b"", settings='version = "1.0"\n'):
        """Write a module and its manifest.toml; returns the path."""
        folder = self.folder / f"{name}-{mark.hex()}-{filler}"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.wasm").write_bytes(wasm(filler, mark))
        (folder / "manifest.toml").write_text(settings)
        return folder / f"{name}.wasm"

    def rest(self):
        """Switch all boards off."""
        while self.boards:
            self.boards.pop().stop()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.rest()
        if self.running():
            self.down()
        if self._client:
            self._client.close()


class Bed:
    """One test's own group on a site that many tests share."""

    _made = itertools.count(1)

    def __init__(self, site):
        self.site = site
        self.group = f"bed{next(self._made)}"

    def name(self, name):
        """The id of this bed's board `name`."""
        return f"{self.group}-{name}"

    def board(self, name, **behaviour):
        """A board of this bed."""
        return self.site.board(self.name(name), self.group, **behaviour)

    def module(self, **options):
        """A module of this bed: no other bed has the same."""
        return self.site.module(self.group, **options)

    def push(self, *arguments):
        """`fleet push` to this bed."""
        return self.site.fleet("push", *arguments, "--group", self.group)

    def rollout(self):
        """The rollout that this bed's boards are in, as `Client.rollout`."""
        client = self.site.client()
        numbers = [client._store.latest_target(row["id"]).rollout for row in client.devices(self.group)]
        return client.rollout(max(numbers))
