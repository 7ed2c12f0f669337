"""Tokens of the HTTP API: shown once, kept as a hash, void when revoked or expired."""

import time

from fleet import tokens


def test_secret_is_shown_once_and_not_stored(quiet):
    made = quiet.ok("token", "create", "ci", "--role", "operator", "-o", "json").json
    assert quiet.client().holder(made["secret"])["role"] == "operator"
    listed = quiet.ok("token", "list", "-o", "json").json
    assert [row["name"] for row in listed] == ["ci"] and "secret" not in listed[0]
    assert all(made["secret"].encode() not in path.read_bytes() for path in quiet.home.root.glob("fleet.db*"))


def test_revoked_and_expired_tokens_are_void(quiet, monkeypatch):
    client = quiet.client()
    forever, short = client.create_token("a", "viewer")["secret"], client.create_token("b", "viewer", days=1)["secret"]
    quiet.ok("token", "revoke", "a")
    assert client.holder(forever) is None and client.holder(short)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86401)
    assert client.holder(short) is None
    assert [row["action"] for row in client.audit_log()] == ["init", "token create", "token create", "token revoke"]


def test_names_and_roles_are_checked(quiet):
    assert quiet.fleet("token", "create", "-x", "--role", "viewer").code == 2
    assert quiet.fleet("token", "create", "x", "--role", "king").code == 2
    quiet.ok("token", "create", "x")
    assert "Revoke it first" in quiet.fleet("token", "create", "x").err
    assert quiet.fleet("token", "revoke", "nobody").code == 1


def test_roles_are_ordered():
    assert [[tokens.may(role, needed) for needed in tokens.ROLES] for role in tokens.ROLES] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
