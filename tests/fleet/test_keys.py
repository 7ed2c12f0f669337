"""Keys come and go by the command line; boards learn of it over the air; the root key may be on another machine, without a fleet."""

import json

import pytest

from fleet.cli import run
from fleet.signing import SigningKey
from fleet.trust import check
from mpwasm.wire import cbor
from tests.fleet.site import Site, wait


@pytest.fixture(autouse=True)
def passphrase(monkeypatch):
    """New key files are encrypted with this."""
    monkeypatch.setenv("WASMFLEET_PASSPHRASE", "secret")
    return b"secret"


@pytest.fixture
def away(tmp_path):
    """A folder without a fleet: the machine where a key is kept."""
    folder = tmp_path / "away"
    folder.mkdir()
    return folder


def states(site):
    """{name: [states]} of the release keys."""
    found = {}
    for row in site.ok("key", "list", "-o", "json").json:
        found.setdefault(row["name"], []).append(row["state"])
    return found


def test_boards_learn_new_lists_with_what_they_run(quiet, passphrase):
    site = quiet.up()
    board = site.board("one")
    site.ok("push", site.module(), "--group", "greenhouse")
    payload = board.payload
    site.ok("key", "create", "ci", "--group", "greenhouse", "--cap", "log")
    wait(lambda: board._keys_version == 2 and board.history[-1][1] == "confirmed", what="for the new list")
    assert board.seq == 2 and board.payload == payload
    assert "1 confirmed" in site.ok("push", site.module(mark=b"2"), "--group", "greenhouse", "--key", site.home.keys / "ci.key").out
    old = site.home.keys / "release.key"
    kept = SigningKey.load(old)
    site.ok("key", "rotate", "release", "--revoke")
    wait(lambda: board._keys_version == 3, what="for the rotated key")
    assert SigningKey.load(old, lambda: passphrase).kid != kept.kid and states(site) == {"release": ["revoked", "active"], "ci": ["active"]}
    assert site.fleet("push", site.module(mark=b"3"), "--group", "greenhouse", "--key", old.with_name(f"release-{kept.kid.hex()}.key")).code == 6
    assert site.fleet("push", site.module(mark=b"3"), "--group", "greenhouse").code == 0
    root = board.root
    site.ok("key", "rotate", "root")
    wait(lambda: board._keys_version == 4 and board.root != root, what="for the new root")
    new = site.board("two")
    assert new.root == board.root and site.client().root()["public"] == board.root.hex()
    assert site.ok("push", site.module(mark=b"4"), "--group", "greenhouse").out.count("sha256 verified, running") == 2


def test_what_ended_badly_is_not_tried_again_because_of_a_new_list(quiet):
    site = quiet.up()
    board = site.board("one")
    site.ok("push", site.module(), "--group", "greenhouse")
    good = board.payload
    board.fate = "trap"
    assert site.fleet("push", site.module(mark=b"bad"), "--group", "greenhouse").code == 1
    board.fate = "confirmed"
    site.ok("key", "create", "ci")
    wait(lambda: board._keys_version == 2 and board.history[-1][1] == "confirmed", what="for the new list")
    assert board.payload == good


def test_scopes_are_the_keys_limits(quiet):
    quiet.ok("device", "add", "one", "--group", "greenhouse")
    quiet.ok("key", "create", "ci", "--group", "attic", "--cap", "gpio:15")
    key = quiet.home.keys / "ci.key"
    assert quiet.ok("key", "show", "ci", "-o", "json").json["scopes"] == ["kind:wasm", "group:attic", "cap:gpio:15"]
    refused = quiet.fleet("push", quiet.module(), "--group", "greenhouse", "--key", key)
    assert refused.code == 6 and "may not sign group:greenhouse" in refused.err
    quiet.ok("key", "create", "agents", "--agent")
    refused = quiet.fleet("push", quiet.module(), "--group", "greenhouse", "--key", quiet.home.keys / "agents.key")
    assert refused.code == 6 and "may not sign kind:wasm" in refused.err
    again = quiet.fleet("key", "create", "ci")
    assert again.code == 1 and "There is a key file" in again.err


def test_revoked_keys_stay_revoked(quiet):
    kid = quiet.client().key("release")["kid"]
    pem = quiet.folder / "release.pem"
    quiet.ok("key", "export", "release", "--file", pem)
    quiet.ok("key", "create", "second")
    quiet.ok("key", "revoke", "release", "--stop")
    listed = quiet.client().key_list()
    assert [each.hex() for each in listed.stopped] == [kid] == [each.hex() for each in listed.revoked]
    assert states(quiet) == {"release": ["stopped"], "second": ["active"]}
    back = quiet.fleet("key", "create", "release2", "--public", pem)
    assert back.code == 1 and "never comes back" in back.err
    assert quiet.fleet("key", "revoke", "release").code == 1
    assert quiet.fleet("key", "show", "nobody").code == 1


def test_root_key_on_another_machine(quiet, away, monkeypatch):
    monkeypatch.chdir(away)
    root = away / "root.key"
    quiet.home.root_key.rename(root)
    assert run(["key", "generate", "ci.key"]) == 0
    assert b"ENCRYPTED" in (away / "ci.key").read_bytes() and (away / "ci.key").stat().st_mode & 0o777 == 0o600
    assert quiet.fleet("key", "create", "ci", "--public", "ci.key.pub").code == 6
    quiet.ok("key", "create", "ci", "--public", "ci.key.pub", "--unsigned", "list")
    assert states(quiet) == {"release": ["active"]}
    assert quiet.fleet("key", "import", "list").code == 6
    assert run(["key", "sign", "list", "--root-key", "root.key", "--yes"]) == 0
    quiet.ok("key", "import", "list.signed")
    assert states(quiet) == {"release": ["active"], "ci": ["active"]}
    twice = quiet.fleet("key", "import", "list.signed")
    assert twice.code == 6 and "has 2 already" in twice.err
    assert run(["key", "generate", "root2.key"]) == 0
    quiet.ok("key", "rotate", "root", "--unsigned", "list")
    assert run(["key", "sign", "list", "--root-key", "root.key", "--new-root", "root2.key", "--yes"]) == 0
    made = quiet.ok("key", "import", "list.signed", "-o", "json").json
    new = SigningKey.load(away / "root2.key", lambda: b"secret").public.hex()
    assert made == {"version": 3, "root": new} and quiet.client().root()["public"] == new


def test_lists_of_other_roots_are_refused(quiet, away, monkeypatch):
    monkeypatch.chdir(away)
    assert run(["key", "generate", "evil.key"]) == 0
    quiet.ok("key", "rotate", "root", "--unsigned", "list")
    assert run(["key", "sign", "list", "--root-key", "evil.key", "--yes"]) == 0
    assert quiet.fleet("key", "import", "list.signed").code == 6
    blob = bytearray((away / "list.signed").read_bytes())
    good = quiet.home.root_key
    assert run(["key", "sign", "list", "--root-key", str(good), "--yes"]) == 0
    blob = bytearray((away / "list.signed").read_bytes())
    blob[-40] ^= 1
    (away / "bent").write_bytes(blob)
    assert quiet.fleet("key", "import", "bent").code == 6
    listed, _ = check((away / "list.signed").read_bytes(), SigningKey.load(good).public, 1)
    assert listed.version == 2


def test_signed_where_the_key_is_pushed_where_the_fleet_is(quiet, away, capsys):
    quiet.ok("device", "add", "one", "--group", "greenhouse")
    key = away / "release.key"
    quiet.home.release_key.rename(key)
    path = quiet.module(settings='version = "3.1"\ncapabilities = ["log"]\n')
    target = away / "sensor.suit"
    assert run(["--home", str(away / "nothing"), "sign", str(path), "-g", "greenhouse", "--key", str(key), "--file", str(target), "-o", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    pushed = quiet.ok("push", target, "--group", "greenhouse", "-o", "json").json
    assert pushed["digest"] == facts["digest"] and pushed["version"] == "3.1"
    assert quiet.fleet("push", target, "--group", "greenhouse", "--version", "4").code == 2
    bent = cbor.decode(target.read_bytes())
    bent["#payload"] = bent["#payload"][:-1] + b"?"
    (away / "bent.suit").write_bytes(cbor.encode(bent))
    assert "is not the one that was signed" in quiet.fleet("push", away / "bent.suit", "--group", "greenhouse").err
    stranger = away / "stranger.key"
    SigningKey.generate().save(stranger, None)
    assert run(["sign", str(path), "-g", "greenhouse", "--key", str(stranger), "--file", str(target)]) == 0
    refused = quiet.fleet("push", target, "--group", "greenhouse")
    assert refused.code == 6 and "unknown-key" in refused.err


def test_new_keys_are_encrypted(tmp_path):
    with Site(tmp_path) as site:
        site.ok("init", "--port", site.port)
        site.ok("key", "create", "ci")
        site.ok("key", "rotate", "root")
        assert len(list(site.home.keys.glob("*.key"))) == 4
        for path in site.home.keys.glob("*.key"):
            assert b"ENCRYPTED" in path.read_bytes() and path.stat().st_mode & 0o777 == 0o600
