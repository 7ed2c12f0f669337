"""Every `fleet` command that a document or a file of deploy/ shows exists, with the options it is shown with; files that are named are there."""

import re
import shlex

import click
import pytest

from fleet import deploy
from fleet.cli import main
from mpwasm.wire.manifest import Manifest
from tests.fleet.site import REPO

DOCUMENTS = sorted([*(REPO / "docs").glob("*.md"), REPO / "README.md", REPO / "DESIGN.md"])
DEPLOYED = sorted(path for path in (REPO / "deploy").iterdir())


def shown(text):
    """The `fleet` command lines in a document: in backticks, or lines of code that begin with it."""
    code = "\n".join(re.findall(r"```\w*[^\n]*\n(.*?)```", text, re.DOTALL))
    inline = re.findall(r"`(fleet [a-z-][^`\n]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    typed = [line.removeprefix("$ ") for line in code.splitlines()]
    return inline + [line for line in typed if re.match(r"fleet (--|[a-z])", line)]


def wrong(line):
    """What is wrong with a command line, or None; words in capitals stand for anything."""
    words = shlex.split(line.split(" #")[0].split("…")[0].split(" > ")[0].replace("'", ""), posix=False)[1:]
    command, context = main, click.Context(main)
    for word in words:
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"-h", "--help", "--version"}
        if word.startswith("-") and word != "-" and word.split("=")[0] not in options:
            return f"{line}: {command.name} has no option {word}"
        if isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]+", word):
            found = command.get_command(context, word)
            if found is None:
                return f"{line}: {command.name} has no command {word}"
            command = found
    return None


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist(path):
    assert [problem for line in shown(path.read_text()) if (problem := wrong(line))] == []


def test_what_does_not_exist_is_found():
    assert wrong("fleet fly") and wrong("fleet push --sideways x") and wrong("fleet rollout dance 2")
    assert not wrong("fleet --server URL push FILE --group GROUP --key release.key") and not wrong("fleet rollout undo 2")
    assert shown("Use `fleet a b`.\n```console one\n$ fleet c\nfleet-ish\n```\n") == ["fleet a b", "fleet c"]


def test_files_that_documents_name_are_there():
    text = "".join(path.read_text() for path in DOCUMENTS)
    named = set(re.findall(r"\b(?:deploy|docs)/[\w.-]*\w\.\w+|\bdeploy/Containerfile", text)) - {"deploy/.env"}
    assert named and [name for name in sorted(named) if not (REPO / name).exists()] == []


def test_every_setting_of_a_manifest_is_described_with_its_default():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", (REPO / "docs" / "manifest.md").read_text(), re.MULTILINE)
    assert {name for name, _ in rows} == {*deploy._SETTINGS, "sha256"}
    told = {name: default.strip("`") for name, default in rows if default.startswith("`") and name != "version"}
    assert told == {name: str(value).replace("()", "[]") for name, value in ((name, getattr(Manifest, name)) for name in told)}
    assert len(told) == 12


def test_deployed_files_start_commands_that_exist():
    texts = {path.name: path.read_text() for path in DEPLOYED}
    assert wrong("fleet " + re.search(r"ExecStart=\S+/fleet (.*)", texts["fleet.service"])[1]) is None
    assert wrong("fleet " + re.search(r'CMD \["(.*)"\]', texts["Containerfile"])[1]) is None
    assert re.search(r'ENTRYPOINT \["(.*)"\]', texts["Containerfile"])[1] == "fleet"
