"""`fleet flash`, `ports` and `doctor` as users run them; the board is a raw REPL that is none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.commands import flash as flow
from fleet.errors import FleetError
from mpwasm.wire import cbor
from tests.firmware.fake_board import Board

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home") / "fleet"
    assert run(folder, "init", "--insecure-plain-keys", "--host", "192.0.2.1").returncode == 0
    return folder


def run(home, *arguments):
    environment = {**os.environ, "WASMFLEET_FIRMWARE": str(home / "firmware")}
    command = [sys.executable, "-m", "fleet", "--home", str(home), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, timeout=120)


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--board", "pico_z", "--wifi", "s"], "There is no board pico_z"),
        (["--board", "pico_w"], "needs a Wi-Fi network"),
        (["--board", "esp32", "--wifi", "s", "--no-flash"], "--port"),
        (["--board", "esp32", "--wifi", "s", "--no-flash", "--port", "/dev/none"], "There is no /dev/none"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(home, options, sentence):
    done = run(home, "flash", "--group", "g", *options)
    assert done.returncode in (1, 2) and sentence in done.stderr
    assert json.loads(run(home, "device", "list", "-o", "json").stdout) == []


def test_a_fleet_that_boards_cannot_find(tmp_path):
    run(tmp_path / "fleet", "init", "--insecure-plain-keys")
    done = run(tmp_path / "fleet", "flash", "--board", "pico_w", "--group", "g", "--wifi", "s")
    assert done.returncode == 2 and "127.0.0.1, which is themselves" in done.stderr


def test_device_add_without_flashing_needs_a_port(home, tmp_path):
    run(tmp_path / "fleet", "init", "--insecure-plain-keys", "--host", "192.0.2.1")
    done = run(tmp_path / "fleet", "device", "add", "b", "--group", "g", "--no-flash")
    assert done.returncode == 2 and "--port" in done.stderr


def test_ports(home):
    assert json.loads(run(home, "ports", "-o", "json").stdout) is not None


def test_doctor_names_what_is_wrong_and_the_cure(home, tmp_path):
    (tmp_path / "flash").mkdir()
    with Board(tmp_path / "flash") as board:
        done = run(home, "doctor", "--port", board.port, "--board", "pico", "--wifi", "barn", "-o", "json")
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert rows["mpy-cross"]["ok"] and rows["esptool and mpremote"]["ok"]
    assert "Start `fleet up`" in rows["Service"]["found"]
    assert "does not answer" in rows["Broker refuses strangers"]["found"]
    assert "not a Raspberry Pi Pico. Choose the right --board." in rows["Board"]["found"]
    assert "`fleet flash` puts it there" in rows["Agent"]["found"]
    assert "barn is not there; the board sees house, shed" in rows["Wi-Fi"]["found"]


class Client:
    """A fleet as the flow sees it: boards by id, and what was asked of it."""

    def __init__(self, **boards):
        self.boards = boards
        self.asked = []
        self.authority = False

    def devices(self):
        return [{"id": name, **row} for name, row in self.boards.items()]

    def add_device(self, name, group, board, plain):
        self.boards[name] = {"groups": [group], "state": "never", "seen": None, "board": board, "tls": bool(self.authority) and not plain}

    def set_plain(self, names, plain):
        self.asked.append(("plain", *names, plain))
        self.boards[names[0]]["tls"] = bool(self.authority) and not plain

    def device(self, name):
        return {"id": name, **self.boards[name]}

    def identity(self, name, wifi):
        self.asked.append(("identity", name, wifi))
        return cbor.encode({1: name, 10: self.boards[name]["tls"] and self.authority})

    def provisioned(self, name):
        self.asked.append(("provisioned", name))

    def service(self):
        return None


class Context:
    def __init__(self, client):
        self.client = client


def test_provisioning_is_resumable_and_named_by_serial_number(tmp_path, monkeypatch):
    from firmware import provision

    sent = []
    monkeypatch.setattr(provision, "install", lambda port, files, progress: sent.append(list(files)) or ["/main.py"])
    client, steps = Client(), flow.Steps(silent=True)
    with Board(tmp_path) as board:
        for _ in range(2):
            done = flow.provision(Context(client), None, board.port, "g", None, ("house", "pw"), 5, steps)
    assert done["device"] == "pico-w-1f2b2c" and list(client.boards) == ["pico-w-1f2b2c"]
    assert client.boards["pico-w-1f2b2c"]["board"] == "pico_w"
    assert sent[0] == sent[1] and sent[0][-1] == "/main.py" and "/cfg/identity.cbor" in sent[0]
    assert client.asked == [("identity", "pico-w-1f2b2c", ("house", "pw")), ("provisioned", "pico-w-1f2b2c")] * 2
    assert [row["step"] for row in steps.done] == 2 * ["build", "board", "device", "files", "restart", "ready"]


def test_tls_is_for_boards_that_have_the_heap(tmp_path, monkeypatch):
    from firmware import provision

    client = Client()
    client.authority = b"certificate"
    monkeypatch.setattr(provision, "install", lambda port, files, progress: pytest.fail("written"))
    facts = provision.facts
    monkeypatch.setattr(provision, "facts", lambda port: {**facts(port), "free_heap": 158 << 10})
    with Board(tmp_path) as board, pytest.raises(FleetError, match="192 KiB of heap: this board has 158.*say --plain here"):
        flow.provision(Context(client), None, board.port, "g", "b", ("house", "pw"), 5, flow.Steps(True))
    monkeypatch.setattr(provision, "install", lambda port, files, progress: ["/main.py"])
    for tls, secure, heap in ((False, False, 158), (None, False, 158), (True, True, 195)):  # told to do without, still without, with it again
        monkeypatch.setattr(provision, "facts", lambda port, heap=heap: {**facts(port), "free_heap": heap << 10})
        with Board(tmp_path) as board:
            assert flow.provision(Context(client), None, board.port, "g", "b", ("house", "pw"), 5, flow.Steps(True), tls)["device"] == "b"
        assert client.boards["b"]["tls"] is secure
    assert [each for each in client.asked if each[0] == "plain"] == [("plain", "b", True), ("plain", "b", False)]


def test_a_board_of_another_group_is_not_moved_silently(tmp_path):
    client = Client(b={"groups": ["other"], "state": "ready", "seen": 1})
    with Board(tmp_path) as board, pytest.raises(FleetError, match="b is in other, not in g"):
        flow.provision(Context(client), None, board.port, "g", "b", (None, None), 5, flow.Steps(True))
