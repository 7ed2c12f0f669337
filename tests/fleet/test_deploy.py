"""From a file to a signed manifest: what is taken from where, and what is not pushed."""

import cbor2
import pytest

from fleet import documents
from fleet.deploy import Order, assign, check_trust, make_manifest, package
from fleet.errors import SIGNATURE, FleetError
from fleet.signing import SigningKey, build_key_list, read_key_list
from mpwasm.wire import desired
from tests.fleet.site import wasm


@pytest.fixture
def path(tmp_path):
    """A module without a manifest.toml."""
    file = tmp_path / "blink.wasm"
    file.write_bytes(wasm())
    return file


def describe(path, text):
    """Write the manifest.toml beside `path`."""
    path.with_name("manifest.toml").write_text(text)


def test_defaults(path):
    manifest, payload = make_manifest(path, {"attic"})
    assert (manifest.name, manifest.version, manifest.groups, manifest.memory) == ("blink", "0", ["attic"], 0)
    assert payload == path.read_bytes() and manifest.size == len(payload)


def test_options_go_before_the_file(path):
    describe(path, 'name = "b"\nversion = "1"\ncapabilities = ["gpio:15"]\nconfirm_s = 5\n[config]\nrate = 3\n')
    manifest, _ = make_manifest(path, {"attic"}, version="2")
    assert (manifest.name, manifest.version, manifest.capabilities, manifest.confirm_s, manifest.config) == ("b", "2", ["gpio:15"], 5, {"rate": 3})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = \n", "not valid TOML"),
        ("nmae = 'x'\n", "unknown `nmae`"),
        ("memory = -1\n", "no usable `memory`"),
        ("memory = 1.5\n", "no usable `memory`"),
        ("capabilities = 5\n", "no usable `capabilities`"),
        ("capabilities = [1]\n", "no usable `capabilities`"),
        ("capabilities = ['adc:<pin>']\n", "grants adc:<pin>: say which"),
        ("version = 7\n", "no usable `version`"),
        ("[config]\nx = 1.5\n", "no usable `config`"),
    ],
)
def test_bad_manifest_is_named(path, text, words):
    describe(path, text)
    with pytest.raises(FleetError, match=words):
        make_manifest(path, {"attic"})


@pytest.mark.parametrize("cut", [0, 4, 8, 20])
def test_cut_module_is_not_pushed(path, cut):
    path.write_bytes(wasm()[:cut] if cut != 8 else wasm()[:9])
    with pytest.raises(FleetError, match="is not a WebAssembly module|does not validate"):
        make_manifest(path, {"attic"})


def test_module_that_does_not_validate_is_not_pushed(path):
    path.write_bytes(wasm().replace(b"\x0a\x04\x01\x02\x00\x0b", b"\x0a\x05\x01\x03\x00\x6a\x0b"))
    with pytest.raises(FleetError, match="does not validate"):
        make_manifest(path, {"attic"})


def test_pinned_digest_catches_a_tampered_file(path):
    describe(path, f'sha256 = "{"0" * 64}"\n')
    with pytest.raises(FleetError, match="SHA-256 differs") as caught:
        make_manifest(path, {"attic"})
    assert caught.value.code == SIGNATURE


def test_import_without_its_capability_is_caught_here(path):
    # (import "gpio" "write" (func (type 0)))
    path.write_bytes(wasm()[:14] + b"\x02\x0e\x01\x04gpio\x05write\x00\x00" + b"")
    with pytest.raises(FleetError, match="imports gpio, but its manifest.toml names no capability gpio:"):
        make_manifest(path, {"attic"})
    describe(path, 'capabilities = ["gpio:15"]\n')
    assert make_manifest(path, {"attic"})[0].capabilities == ["gpio:15"]


def test_same_module_makes_the_same_release(path):
    key = SigningKey.generate()
    assert package(*make_manifest(path, {"attic"}), key).digest == package(*make_manifest(path, {"attic"}), key).digest


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (["kind:wasm", "group:attic", "cap:*"], None),
        (["kind:wasm", "group:cellar", "cap:*"], "may not sign group:attic"),
        (["kind:wasm", "group:*", "cap:clock"], "may not sign cap:gpio:15"),
        (["kind:agent", "group:*", "cap:*"], "may not sign kind:wasm"),
        (None, "not one of this fleet's keys"),
    ],
)
def test_trust_is_checked_before_the_push(path, scopes, words):
    describe(path, 'capabilities = ["gpio:15"]\n')
    manifest, _ = make_manifest(path, {"attic"})
    key = SigningKey.generate()
    listed = read_key_list(build_key_list(SigningKey.generate(), 1, [(key.public, scopes, "k")] if scopes else []))
    if words is None:
        check_trust(listed, key, manifest)
        return
    with pytest.raises(FleetError, match=words) as caught:
        check_trust(listed, key, manifest)
    assert caught.value.code == SIGNATURE


def test_revoked_key_is_named(path):
    key = SigningKey.generate()
    listed = read_key_list(build_key_list(SigningKey.generate(), 2, [(key.public, ["kind:wasm", "group:*", "cap:*"], "k")], [key.kid]))
    with pytest.raises(FleetError, match="was revoked"):
        check_trust(listed, key, make_manifest(path, {"attic"})[0])


def test_document_reads_in_cbor2_and_on_the_board(quiet):
    quiet.ok("device", "add", "one", "--group", "attic")
    quiet.ok("push", quiet.module(), "--group", "attic")
    store = quiet.store()
    rollout = store.rollout(1)
    module, keys = store.module(rollout.module), store.key_list()
    data = documents.make_all(store, [Order("one", module.digest, 1)], keys)[0]
    read = desired.Document.parse(data)
    assert read.components[0].manifest.hex() == module.digest and read.keys.hex() == keys.digest
    assert cbor2.loads(data)[2][0][4] == module.size


def test_seq_overtakes_what_the_board_reports(quiet):
    from fleet.model import Report

    quiet.ok("device", "add", "one", "--group", "attic")
    quiet.ok("push", quiet.module(), "--group", "attic")
    store = quiet.store()
    rollout = store.rollout(1)
    module = store.module(rollout.module)
    assert [assign(store, "one", module, rollout).seq for _ in range(2)] == [1, 2]
    store.put_report(Report(device="one", seq=40, boot_id="00", counter=1, boots=1, received=1.0), [])
    assert assign(store, "one", module, rollout).seq == 41
