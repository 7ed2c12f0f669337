"""The fleet's desired state as a file: `fleet diff` says what differs, `fleet apply` does it, and doing it again does nothing."""

import pytest

from fleet import desired
from fleet.errors import FleetError

FILE = """
groups:
  greenhouse:
    boards: [one, two]
    module: sensor-31-0/sensor.wasm
    rollout: {waves: ["100%"]}
boards:
  one: {labels: {site: north, heated: true}}
"""


@pytest.fixture
def site(quiet):
    """Three boards of the group attic, a module, and the file."""
    for name in ("one", "two", "three"):
        quiet.ok("device", "add", name, "--group", "attic")
    quiet.module(mark=b"1")
    (quiet.folder / "fleet.yaml").write_text(FILE)
    return quiet


def lines(result):
    return result.out.splitlines()


def test_diff_apply_diff(site):
    path = site.folder / "fleet.yaml"
    found = site.fleet("diff", "-f", path)
    wanted = ["+ group greenhouse", "+ one in greenhouse", "+ two in greenhouse", "+ one: site=north", "+ one: heated=true"]
    assert (found.code, lines(found)) == (3, [*wanted, "~ greenhouse runs sensor-31-0/sensor.wasm"])
    assert lines(site.ok("apply", "-f", path)) == lines(found)
    assert lines(site.ok("diff", "-f", path)) == ["The fleet is as the file says."]
    assert site.ok("apply", "-f", path, "-o", "json").json == []
    rows = {row["id"]: row for row in site.client().devices()}
    assert rows["one"]["labels"] == {"site": "north", "heated": "true"} and rows["two"]["groups"] == ["attic", "greenhouse"]
    assert {target["device"] for target in site.client().rollout(1)["targets"]} == {"one", "two"}
    assert [row["id"] for row in site.client().devices(where="label.site=north and group=attic")] == ["one"]


def test_what_the_file_no_longer_says_is_taken_back(site):
    path = site.folder / "fleet.yaml"
    site.ok("apply", "-f", path)
    path.write_text("groups: {greenhouse: {boards: [two]}}\nboards: {one: }\n")
    assert lines(site.ok("apply", "-f", path)) == ["- one in greenhouse", "- one: heated=", "- one: site="]
    assert lines(site.ok("diff", "-f", path)) == ["The fleet is as the file says."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("groups: [1", "not valid YAML"),
        (b"groups: \xff", "no text in UTF-8"),
        ("- 1", "must be a mapping"),
        ("group: {}", "not 'group'"),
        ("groups: {a: {module: 5}}", "module of group a must be a text"),
        ("groups: {a: {boards: [1]}}", "must be names"),
        ("groups: {a: {rollout: {waves: [x]}}}", "no wave"),
        ("boards: {a: {labels: {b: [1]}}}", "must be words"),
    ],
)
def test_bad_file_is_named(text, words):
    with pytest.raises(FleetError, match=words):
        desired.read(text)


def test_unknown_board_is_named(site):
    (site.folder / "fleet.yaml").write_text("boards: {nobody: }\n")
    result = site.fleet("apply", "-f", site.folder / "fleet.yaml")
    assert result.code == 1 and "names the board nobody" in result.err
