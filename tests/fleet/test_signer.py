"""The fleet's signer: who may have what signed, how the API asks it, and that it is a process of its own that `fleet up` starts."""

import base64
import contextlib
import os
import threading

import pytest

from fleet import bundle, signer
from fleet.errors import Denied, FleetError
from fleet.signing import SigningKey
from tests.fleet.api import served
from tests.fleet.site import TINY, wait

GPIO = "capabilities = ['gpio:15']"


@pytest.fixture
def ready(quiet):
    """A fleet with a board in the group greenhouse."""
    quiet.ok("device", "add", "one", "--group", "greenhouse")
    return quiet


def token(site, role):
    """A token of `role`."""
    return site.client().create_token(f"the-{role}", role)["secret"]


@contextlib.contextmanager
def signing(site, path=None):
    """A signer in a thread, with the key in `path`."""
    made = signer.Signer(site.home, SigningKey.load(path or site.home.release_key))
    server = signer.SignerServer(site.home, made)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
        made.close()


def test_holders_of_the_role_get_what_boards_trust(ready):
    with signing(ready):
        data = signer.ask(ready.home, token(ready, "operator"), TINY, "blink.wasm", 'version = "7"', "greenhouse")
        package = bundle.unpack(data, "x")
        assert (package.manifest.name, package.manifest.version, package.payload) == ("blink", "7", TINY)
        assert ready.client().distrust(package) is None
        last = ready.client().audit_log()[-1]
        assert (last["actor"], last["action"], last["subject"]) == ("token:the-operator", "sign", "blink 7")
        assert ready.home.signer_socket.stat().st_mode & 0o777 == 0o600
        with pytest.raises(FleetError, match="running already"):
            signer.SignerServer(ready.home, None)


def test_others_get_nothing(ready):
    with signing(ready):
        for secret in (token(ready, "viewer"), "fleet_made-up", ""):
            with pytest.raises(Denied, match="operator"):
                signer.ask(ready.home, secret, TINY, "x.wasm", "", "greenhouse")
        assert [row["action"] for row in ready.client().audit_log()].count("sign") == 0
        assert {row["subject"] for row in ready.client().audit_log() if row["action"] == "refuse"} == {"the-viewer", "unknown token"}


def test_the_keys_scope_is_the_signers(ready):
    narrow = ready.home.keys / "narrow.key"
    ready.ok("key", "create", "narrow", "--group", "greenhouse", "--cap", "log", "--insecure-plain-key")
    ready.ok("group", "create", "barn")
    ready.ok("device", "add", "two", "--group", "barn")
    operator = token(ready, "operator")
    with signing(ready, narrow):
        assert signer.ask(ready.home, operator, TINY, "x.wasm", "", "greenhouse")
        for settings, group in ((GPIO, "greenhouse"), ("", "barn")):
            with pytest.raises(FleetError, match="may not sign"):
                signer.ask(ready.home, operator, TINY, "x.wasm", settings, group)


def test_what_is_no_module_or_no_request_is_refused(ready):
    operator = token(ready, "operator")
    with signing(ready):
        for wrong in ((b"none", "x.wasm", ""), (TINY, "x.wasm", "= 1"), (TINY, "..", ""), (TINY, "x" * 300, ""), (TINY, "x", "\ud800")):
            with pytest.raises(FleetError):
                signer.ask(ready.home, operator, *wrong, "greenhouse")
        assert signer.ask(ready.home, operator, TINY, "../../x.wasm", "", "greenhouse")
    assert not (ready.home.root / "x.wasm").exists()


def test_the_api_asks_it(ready):
    with served(ready) as api:
        body = {"module": base64.b64encode(TINY).decode(), "file": "x.wasm", "settings": "", "group": "greenhouse"}
        bearer = {role: {"Authorization": f"Bearer {api.secret(role)}"} for role in ("viewer", "operator")}
        status, _, told = api.ask("POST", "/api/v1/sign", body, bearer["operator"])
        assert status == 422 and "fleet up --signer" in told["error"]
        with signing(ready):
            assert api.ask("POST", "/api/v1/sign", body, bearer["viewer"])[0] == 403
            status, _, told = api.ask("POST", "/api/v1/sign", body, bearer["operator"])
            assert status == 200 and told["trust"] is None and told["manifest"]["name"] == "x"
            order = {"package": told["package"], "group": "greenhouse", "again": False, "plan": {}}
            assert api.ask("POST", "/api/v1/rollouts", order, bearer["operator"])[0] in (200, 201)
            looked = api.ask("POST", "/api/v1/inspect?name=x.wasm", headers=bearer["operator"], data=TINY)[2]
            assert looked["signer"] is True


def test_it_is_a_process_of_its_own_with_an_encrypted_key(ready, monkeypatch):
    path = ready.home.keys / "mine.key"
    SigningKey.load(ready.home.release_key).save(path, b"open sesame")
    monkeypatch.setenv("WASMFLEET_PASSPHRASE", "wrong")
    refused = ready.spawn("up", "--no-web", "--signer", path)
    assert "wrong passphrase" in refused.communicate(timeout=30)[0] and refused.returncode == 6
    monkeypatch.setenv("WASMFLEET_PASSPHRASE", "open sesame")
    ready.up("--no-web", "--signer", path)
    monkeypatch.delenv("WASMFLEET_PASSPHRASE")
    assert signer.ask(ready.home, token(ready, "operator"), TINY, "x.wasm", "", "greenhouse")
    assert ready.running()
    assert "Fleet is up" in ready.down()
    assert wait(lambda: not signer.available(ready.home))


def test_its_end_is_said_and_nobody_else_can_sign(ready):
    child = signer.SignerProcess(ready.home, ready.home.release_key)
    try:
        assert child.pid != os.getpid() and signer.available(ready.home) and child.watch() is None
        os.kill(child.pid, 9)
        assert "the signer ended" in wait(child.watch) and child.watch() is None
        with pytest.raises(FleetError, match="no signer"):
            signer.ask(ready.home, "", TINY, "x.wasm", "", "greenhouse")
    finally:
        child.stop()
