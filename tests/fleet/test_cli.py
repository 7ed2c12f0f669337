"""What commands print, compared with the files in golden/, and how they end. UPDATE_GOLDEN=1 writes the files anew: read the diff."""

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fleet.cli import COMMANDS
from fleet.model import Component, LogLine, Reading, Report
from tests.fleet.site import REPO, Site

GOLDEN = Path(__file__).parent / "golden"

# What differs from run to run, and what stands for it.
CHANGING = [
    (r"\b[0-9a-f]{64}\b", "HEX64"),
    (r"\b[0-9a-f]{16}\b", "HEX16"),
    (r"\b\d+s ago", "Ns ago"),
    (r"\b20\d\d-\d\d-\d\d\b", "DATE"),
    (r"DATE \d\d:\d\d:\d\d", "DATE TIME"),
]
CHANGING += [(r",1\d{9}\.\d+", ",TIME")]
TIMES = r'("(?:received|seen|created|started)": )[\d.]+'

PRINTING = {
    "help": ["--help"],
    **{f"help-{name}": [name, "--help"] for name in COMMANDS},
    "device-list": ["device", "list"],
    "device-list-json": ["device", "list", "-o", "json"],
    "device-list-group": ["device", "list", "--group", "attic"],
    "device-list-wide": ["device", "list", "-o", "wide"],
    "device-list-jsonl": ["device", "list", "-o", "jsonl"],
    "device-list-csv": ["device", "list", "-o", "csv"],
    "device-list-name": ["device", "list", "-o", "name"],
    "device-list-filter": ["device", "list", "--filter", "groups~green*", "--filter", "health=attention"],
    "device-show": ["device", "show", "two"],
    "device-show-json": ["device", "show", "one", "-o", "json"],
    "group-list": ["group", "list"],
    "group-list-json": ["group", "list", "-o", "json"],
    "device-exec": ["device", "exec", "one", "config", "set", "limit=25", "--no-wait"],
    "help-device-exec": ["device", "exec", "--help"],
    "help-agent-push": ["agent", "push", "--help"],
    "key-list": ["key", "list"],
    "key-list-json": ["key", "list", "-o", "json"],
    "key-show": ["key", "show", "release"],
    "key-show-root": ["key", "show-root"],
    "rollout-list": ["rollout", "list"],
    "rollout-show": ["rollout", "show", "1"],
    "rollout-status": ["rollout", "status", "1"],
    "status": ["status"],
    "status-json": ["status", "-o", "json"],
    "status-wide": ["status", "-o", "wide"],
    "logs": ["logs"],
    "logs-csv": ["logs", "-o", "csv"],
    "logs-since": ["logs", "--since", "1h", "-n", "2", "-o", "name"],
    "logs-board": ["logs", "two", "-n", "1"],
    "logs-json": ["logs", "-o", "json", "-n", "1"],
    "readings": ["readings"],
    "readings-csv": ["readings", "two", "-n", "2", "-o", "csv"],
    "audit": ["audit", "-n", "3"],
    "audit-json": ["audit", "--since", "1h", "--filter", "action~device*", "-o", "json"],
}

# name -> (arguments, exit code)
FAILING = {
    "error-usage": (["push"], 2),
    "error-no-command": (["fly"], 2),
    "error-no-board": (["device", "show", "nobody"], 1),
    "error-no-group": (["push", "x.wasm", "--group", "nowhere"], 1),
    "error-no-file": (["push", "nothing.wasm", "--group", "attic"], 1),
    "error-bad-name": (["device", "add", "Ünïcode", "--group", "attic"], 2),
    "error-twice": (["device", "add", "one", "--group", "attic"], 1),
    "error-init-twice": (["init"], 1),
    "error-no-key": (["push", "TINY", "--group", "attic", "--key", "nothing.key"], 6),
    "error-exec": (["device", "exec", "one", "dance"], 2),
    "error-key-show": (["key", "show", "nobody"], 1),
    "error-key-revoke": (["key", "revoke", "nobody"], 1),
    "error-filter": (["device", "list", "--filter", "nonsense"], 2),
    "error-filter-field": (["device", "list", "--filter", "colour=red"], 2),
    "error-since": (["logs", "--since", "yesterday"], 2),
    "error-server": (["--server", "nowhere", "status"], 2),
    "error-empty-group": (["push", "TINY", "--group", "empty"], 2),
    "error-no-rollout": (["rollout", "show", "99"], 1),
    "error-bad-wave": (["push", "TINY", "--group", "attic", "--waves", "1,x"], 2),
    "error-bad-window": (["push", "TINY", "--group", "attic", "--window", "nightly"], 2),
    "error-bad-filter": (["push", "TINY", "--where", "site=north"], 2),
    "error-nobody": (["push", "TINY", "--where", "label.site=north"], 2),
    "error-rollout-number": (["rollout", "show", "99999999999"], 2),
    "error-steer": (["rollout", "resume", "1"], 1),
    "error-logs-no-board": (["logs", "nobody"], 1),
    "error-sim-no-service": (["sim", "up", "--group", "attic"], 1),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A fleet with two boards, one of which has reported."""
    with pytest.MonkeyPatch.context() as patch, Site(tmp_path_factory.mktemp("cli")) as site:
        patch.setenv("LOGNAME", "ann")
        site.init()
        site.ok("device", "add", "one", "--group", "attic")
        site.ok("device", "add", "two", "--group", "greenhouse", "--cap", "adc:26", "--cap", "gpio:15")
        site.ok("group", "create", "empty")
        store, now = site.store(), time.time()
        told = {"seq": 4, "boot_id": "00" * 8, "counter": 7, "boots": 2, "free_heap": 98304, "min_free_heap": 90000, "abi": 1, "executor": "native"}
        part = Component(device="two", slot=0, state="rejected", reason="digest", digest="ab" * 32, name="sensor", version="1.2", progress=0)
        store.put_report(Report(device="two", received=now, port="rp2", **told), [part])
        numbers = enumerate((2150, 2163, 2171))
        store.add_readings([Reading(device="two", name="warmth", counter=i, uptime_ms=i, value_int=v, scale=-2, received=now) for i, v in numbers])
        store.set_presence("two", "ready", now)
        lines = [("one", 4, 1, "hello"), ("two", 1, 2, "careful"), ("two", 9, 3, "started sensor 1.2"), ("one", 1, 3, "boot 2 of one")]
        for i, (device, counter, level, text) in enumerate(lines):
            store.add_lines([LogLine(device=device, counter=counter, uptime_ms=1500 * i, level=level, text=text, received=now)])
        site.ok("push", site.module("tiny"), "--where", "id~o* or id=two", "--rate", "10", "--window", "mon-fri 22:00-06:00 Europe/Berlin")
        yield site


def normalize(text, site):
    """`text` without what changes from run to run."""
    text = text.replace(str(site.home.root), "HOME").replace(str(site.folder), "FOLDER")
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    return re.sub(TIMES, r"\1TIME", text)


def compare(name, text):
    """Compare with the golden file, or write it."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text(), name


@pytest.mark.parametrize("name", PRINTING)
def test_output(filled, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    result = filled.ok(*PRINTING[name])
    compare(name, normalize(result.out, filled))
    if name.endswith("-json"):
        json.loads(result.out)


@pytest.mark.parametrize("name", FAILING)
def test_errors_are_one_plain_sentence(filled, name, monkeypatch):
    monkeypatch.chdir(filled.folder)
    arguments, code = FAILING[name]
    result = filled.fleet(*[filled.module("tiny") if argument == "TINY" else argument for argument in arguments])
    assert result.code == code, result
    assert "Traceback" not in result.err
    compare(name, normalize(result.err, filled))


def test_no_golden_file_is_left_over():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(PRINTING) | set(FAILING)


def test_empty_lists_are_empty_json(quiet):
    for noun in (["device", "list"], ["group", "list"], ["logs"]):
        assert quiet.ok(*noun, "-o", "json").json == []


def test_export_and_prune(filled):
    rows = [json.loads(line) for line in filled.ok("db", "export", "-", "--table", "logline", "--table", "device").out.splitlines()]
    assert {row["table"] for row in rows} == {"logline", "device"} and not any("sealed_key" in row["row"] for row in rows)
    assert filled.ok("db", "prune", "--logs", "1", "--telemetry", "1", "-o", "json").json == {"logs": 0, "readings": 0}
    assert "There is no table x" in filled.fleet("db", "export", "-", "--table", "x").err


def test_no_fleet_is_said_plainly(tmp_path):
    result = Site(tmp_path).fleet("status")
    assert result.code == 1
    assert "Run `fleet init` first" in result.err


def test_damaged_settings_are_said_plainly(quiet):
    quiet.home.settings_path.write_text("[broker\n")
    result = quiet.fleet("status")
    assert result.code == 1
    assert "is not valid TOML" in result.err


def test_identity_file_holds_what_a_board_needs(quiet):
    from mpwasm.wire import cbor

    quiet.ok("device", "add", "one", "--group", "attic", "--cap", "gpio:15")
    path = quiet.folder / "identity.cbor"
    quiet.ok("device", "provision-file", "one", "--file", path, "--ssid", "net", "--wifi-password", "pass")
    fields = cbor.decode(path.read_bytes())
    assert path.stat().st_mode & 0o777 == 0o600
    assert fields[1] == "one" and len(fields[2]) == 32 and fields[3].hex() == quiet.client().root()["public"]
    assert [fields[key] for key in range(4, 11)] == ["attic", "127.0.0.1", quiet.port, ["gpio:15"], "net", "pass", False]


def test_keys_are_encrypted_unless_asked_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("WASMFLEET_PASSPHRASE", "secret")
    with Site(tmp_path) as site:
        site.ok("init", "--port", site.port)
        assert b"ENCRYPTED" in site.home.root_key.read_bytes() and b"ENCRYPTED" in site.home.release_key.read_bytes()
        site.ok("device", "add", "one", "--group", "attic")
        site.ok("push", site.module(), "--group", "attic")
        monkeypatch.setenv("WASMFLEET_PASSPHRASE", "wrong")
        assert site.fleet("push", site.module(mark=b"2"), "--group", "attic").code == 6
        monkeypatch.delenv("WASMFLEET_PASSPHRASE")
        monkeypatch.setattr("sys.stdin", io.StringIO())
        result = site.fleet("push", site.module(mark=b"3"), "--group", "attic")
        assert result.code == 6 and "no terminal to ask at" in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["push", "--help"], ["device", "list", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    program = "import sys; from fleet.cli import run; run(sys.argv[1:]); print([n for n in HEAVY if n in sys.modules], file=sys.stderr)"
    heavy = ["sqlmodel", "sqlalchemy", "paho", "cryptography", "rich", "amqtt", "mpwasm", "asyncio"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "device")])}
    done = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {heavy}; {program}", *arguments], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_two_ups_of_one_home_are_refused(site):
    process = site.spawn("up")
    out = process.communicate(timeout=15)[0]
    assert process.returncode == 1
    assert "running already" in out
