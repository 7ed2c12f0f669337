"""The command line's habits: every format everywhere, quick help, completion, plain words whatever happens."""

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import unittest.mock

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.cli import COMMANDS, main
from fleet.output import FORMATS, chosen
from tests.fleet.site import REPO, Site

LISTS = (
    ["device", "list"],
    ["group", "list"],
    ["key", "list"],
    ["token", "list"],
    ["webhook", "list"],
    ["rollout", "list"],
    ["logs"],
    ["status"],
    ["readings"],
)
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "device")])}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A fleet with two boards and a token, whose service does not run."""
    with Site(tmp_path_factory.mktemp("habits")) as made:
        made.init()
        made.ok("device", "add", "one", "--group", "attic")
        made.ok("device", "add", "other", "--group", "barn")
        made.ok("token", "create", "ci")
        made.ok("webhook", "add", "ops", "http://127.0.0.1:1/")
        yield made


@pytest.mark.parametrize("command", LISTS, ids="-".join)
def test_every_list_has_every_format(site, command):
    data = site.ok(*command, "-o", "json").json
    rows = data["devices"] if command == ["status"] else data
    assert [json.loads(line) for line in site.ok(*command, "-o", "jsonl").out.splitlines()] == rows
    read = list(csv.DictReader(io.StringIO(site.ok(*command, "-o", "csv").out)))
    assert len(read) == len(rows) and all(set(one) == set(other) for one, other in zip(read, rows))
    names = site.ok(*command, "-o", "name").out.splitlines()
    assert len(names) == len(rows) and all(name in row.values() for name, row in zip(names, rows))
    short, wide = site.ok(*command).out.splitlines(), site.ok(*command, "-o", "wide").out.splitlines()
    assert len(wide) == len(short)


def test_nothing_is_said_around_data_for_programs(tmp_path):
    with Site(tmp_path) as site:
        site.init()
        for command in LISTS:
            if command not in (["status"], ["key", "list"]):
                assert [site.ok(*command, "-o", form).out for form in FORMATS[2:]] == ["[]\n", "", "", ""]


def test_filters():
    first = {"id": "a", "groups": ["x", "y"], "ok": True, "why": None, "desired": {"version": "1"}}
    rows = [first, {"id": "b", "groups": [], "ok": False, "why": "no"}]
    for conditions, found in (
        (["id=a"], "a"),
        (["id!=a"], "b"),
        (["groups=y"], "a"),
        (["groups!=y"], "b"),
        (["groups="], "b"),
        (["why="], "a"),
        (["ok=true"], "a"),
        (["id~[ab]"], "ab"),
        (["id~*", "ok=false"], "b"),
        (["desired.version=1"], "a"),
    ):
        assert "".join(row["id"] for row in chosen(rows, conditions)) == found, conditions


def timed(program):
    """CPU seconds of a Python process, the least of some runs: noise only ever adds."""
    best = 9.0
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, *program], env=ENVIRONMENT, capture_output=True, check=True)
        after = os.times()
        best = min(best, after.children_user + after.children_system - before.children_user - before.children_system)
    return best


def test_help_is_quick():
    """Under 200 ms: the bare interpreter takes about 15 of them, click 60; the bound grows with a machine that is slow just now."""
    start = timed(["-c", "pass"])
    assert timed(["-m", "fleet", "--help"]) < 0.2 * max(start / 0.02, 1)


def complete(site, *words):
    """What the shell would offer for the last of these words."""
    line = {"COMP_WORDS": " ".join(["fleet", *words]), "COMP_CWORD": str(len(words)), "_FLEET_COMPLETE": "bash_complete"}
    environment = {**ENVIRONMENT, **line, "WASMFLEET_HOME": str(site.home.root)}
    done = subprocess.run([sys.executable, "-m", "fleet"], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return {row.partition(",")[2] for row in done.stdout.split()}


def test_shells_complete_commands_and_names(site):
    assert "device" in complete(site, "de")
    assert complete(site, "device", "show", "o") == {"one", "other"}
    assert complete(site, "device", "list", "--group", "at") == {"attic"}
    assert complete(site, "token", "revoke", "") == {"ci"}
    with Site(site.folder / "nothing") as empty:
        assert complete(empty, "device", "show", "") == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(site, shell):
    script = site.ok("completion", shell).out
    assert "_FLEET_COMPLETE" in script and "fleet" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


WORDS = st.one_of(
    st.sampled_from("-o json --group attic one --filter id=one --since 1h -n -1 list show -- -".split() + [""]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
)
SAFE = sorted(set(COMMANDS) - {"up", "serve", "sim", "flash", "ports", "doctor", "run", "init", "bridge", "service", "simulate"})


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(SAFE), words=st.lists(WORDS, max_size=4))
def test_no_command_line_ends_in_a_traceback(site, name, words):
    with contextlib.chdir(site.folder):
        result = site.fleet(name, *[word for word in words if word != "-f"])
    assert result.code in range(7), result
    assert "Traceback" not in result.err and "foresaw" not in result.err, result


VALUES = st.sampled_from(
    ["", "one", "attic", "ci", "release", "0", "-1", "1", "2", "99999999999999999999999", "1e309", "nan", "0.5", "x" * 300, "\x1b[2J", "\udcff", "ß"]
    + ["label.site=north", "id=one", "id~[", "a=b", "a-", "3d", "99999999d", "2026-11-25", "http://127.0.0.1:1/", "nothing.wasm", ".", "{}", "100%"]
    + ["1,5%,25%", "mon 25:00-26:00", "group:*", "admin", "tiny.wasm", "fleet.yaml", "release.key"]
)
WAITING = {("device", "exec"), ("agent", "push")}  # for an answer, for a build
ENDLESS = {"--watch", "--follow"}


def leaves(name):
    """Every command below a noun: [(words, click command)]."""
    command = main.get_command(None, name)
    if not isinstance(command, click.Group):
        return [([name], command)]
    return [([name, below], command.get_command(None, below)) for below in command.list_commands(None) if (name, below) not in WAITING]


LEAVES = [leaf for name in SAFE for leaf in leaves(name)]


@st.composite
def command_lines(draw):
    """A command with each of its arguments, and some of its options, given some value."""
    words, command = draw(st.sampled_from(LEAVES))
    line = list(words)
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            line += [draw(VALUES) for _ in range(1 if parameter.nargs == 1 else draw(st.integers(0, 3)))]
        elif not ENDLESS & set(parameter.opts) and (parameter.required or draw(st.booleans())):
            line += [max(parameter.opts, key=len)] + ([] if parameter.is_flag else [draw(VALUES)])
    return line


@settings(max_examples=int(os.environ.get("COMMAND_LINES", "400")), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(line=command_lines())
def test_no_value_ends_in_a_traceback(site, line):
    with contextlib.chdir(site.folder), unittest.mock.patch("sys.stdin", io.StringIO()):
        result = site.fleet(*line)
    assert result.code in range(7), (line, result)
    assert "Traceback" not in result.err and "foresaw" not in result.err, (line, result)


def test_what_nobody_foresaw_is_told_plainly(site, monkeypatch):
    def broken(*_):
        raise KeyError("oops")

    monkeypatch.setattr("fleet.calls.boards.Boards.devices", broken)
    result = site.fleet("device", "list")
    assert result.code == 1 and "foresaw" in result.err and "Traceback" not in result.err
    monkeypatch.setenv("FLEET_DEBUG", "1")
    with pytest.raises(KeyError):
        site.fleet("device", "list")


def test_a_broken_database_is_told_plainly(tmp_path):
    with Site(tmp_path) as site:
        site.init()
        site.home.database_path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
        result = site.fleet("status")
        assert result.code == 1 and result.err.startswith("Error: ") and result.err.count("\n") == 1, result


def test_labels_are_put_on_and_taken_off(site):
    site.ok("device", "label", "one", "other", "site=north", "old=yes")
    site.ok("device", "label", "one", "old-")
    assert site.ok("device", "list", "--where", "label.old=yes", "-o", "name").out == "other\n"
    assert site.ok("device", "list", "--where", "label.site=north", "--filter", "id=one", "-o", "json").json[0]["labels"] == {"site": "north"}
    for wrong in (["one"], ["site=north"], ["nobody", "a=b"]):
        assert site.fleet("device", "label", *wrong).code in (1, 2)
    assert site.fleet("device", "list", "--where", "colour=red").code == 2
