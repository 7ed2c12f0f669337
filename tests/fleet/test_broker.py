"""The broker that `fleet up` runs: passwords in mosquitto's format, the rule of topics, words when it can't start."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from fleet.broker import Broker, choose, find_mosquitto
from fleet.credentials import SERVICE_USER, matches, may_use, password_line, read_lines
from fleet.errors import FleetError
from fleet.vault import Vault
from tests.fleet.site import BROKERS

LISTENING = "0A"  # a state of TCP, as /proc/net/tcp has it
TOOL = shutil.which("mosquitto_passwd")


def test_password_lines_are_checked_by_hash():
    entries = read_lines(password_line("one", "secret") + "\n" + password_line("two", "other") + "\n")
    assert matches(entries["one"], "secret") and not matches(entries["one"], "other") and not matches(entries["two"], "secret")


@pytest.mark.skipif(TOOL is None, reason="mosquitto_passwd is not installed")
def test_lines_of_mosquitto_passwd_are_the_same_format(tmp_path):
    file = tmp_path / "passwords"
    subprocess.run([TOOL, "-c", "-b", str(file), "one", "secret"], check=True, capture_output=True)
    entries = read_lines(file.read_text())
    assert matches(entries["one"], "secret") and not matches(entries["one"], "geheim")
    shape = re.sub(r"[A-Za-z0-9+/=]{16,}", "B64", file.read_text().strip())
    assert shape == re.sub(r"[A-Za-z0-9+/=]{16,}", "B64", password_line("one", "secret"))


@pytest.mark.parametrize(
    ("user", "topic", "allowed"),
    [
        ("one", "f/1/one/log", True),
        ("one", "f/1/one/#", True),
        ("one", "f/1/two/log", False),
        ("one", "f/1/one-two/log", False),
        ("one", "f/1/+/desired", False),
        ("one", "#", False),
        ("one", "$SYS/broker", False),
        (SERVICE_USER, "f/1/+/reported", True),
        (SERVICE_USER, "#", False),
    ],
)
def test_who_may_use_which_topic(user, topic, allowed):
    assert may_use(user, topic) is allowed


def test_port_in_use_is_said_plainly(quiet):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", quiet.port))
        taken.listen()
        broker = Broker(quiet.home, quiet.store(), Vault.open(quiet.home.key_file))
        with pytest.raises(FleetError, match="is in use already"):
            broker.start()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux lists its sockets there")
@pytest.mark.parametrize("kind", BROKERS)
def test_a_demo_listens_on_loopback_only(quiet, kind):
    """By default; the embedded broker, whose rules are weak, whatever it is told."""
    if kind == "embedded":
        text = quiet.home.settings_path.read_text()
        quiet.home.settings_path.write_text(text.replace('listen = "127.0.0.1"', 'listen = "0.0.0.0"', 1))
    broker = Broker(quiet.home, quiet.store(), Vault.open(quiet.home.key_file), kind)
    assert broker.settings["listen"] == ("0.0.0.0" if kind == "embedded" else "127.0.0.1")
    broker.start()
    try:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert [row[1] for row in rows if row[3] == LISTENING and row[1].endswith(f":{quiet.port:04X}")] == [f"0100007F:{quiet.port:04X}"]
    finally:
        broker.stop()


def test_missing_mosquitto_is_said_plainly(monkeypatch):
    monkeypatch.setattr("fleet.broker.find_mosquitto", lambda: None)
    with pytest.raises(FleetError, match="is not installed"):
        choose("mosquitto")
    assert choose("auto") == "embedded"
    with pytest.raises(FleetError, match="no broker of kind"):
        choose("rabbit")


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_mosquitto_keeps_its_files_from_others(quiet):
    broker = Broker(quiet.home, quiet.store(), Vault.open(quiet.home.key_file), "mosquitto")
    broker.start()
    broker.stop()
    for name in ("passwords", "acl", "service.secret"):
        assert (quiet.home.broker / name).stat().st_mode & 0o077 == 0, name
