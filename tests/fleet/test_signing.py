"""Keys and what they sign, checked against `cryptography`, `cbor2` and the board's own code."""

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from fleet.errors import SIGNATURE, FleetError
from fleet.signing import ALL_SCOPES, SigningKey, build_key_list, read_key_list, verifies
from mpwasm.wire import ed25519, envelope, keys


def test_key_file_is_encrypted_pkcs8(tmp_path):
    key = SigningKey.generate()
    key.save(tmp_path / "k", b"secret")
    assert (tmp_path / "k").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(tmp_path / "k", lambda: b"secret").public == key.public


@pytest.mark.parametrize("passphrase", [b"wrong", None])
def test_wrong_passphrase_is_a_signature_error(tmp_path, passphrase):
    SigningKey.generate().save(tmp_path / "k", b"secret")
    with pytest.raises(FleetError, match="cannot be opened") as caught:
        SigningKey.load(tmp_path / "k", lambda: passphrase)
    assert caught.value.code == SIGNATURE


def test_other_files_are_no_keys(tmp_path):
    with pytest.raises(FleetError, match="cannot be read"):
        SigningKey.load(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FleetError, match="cannot be opened"):
        SigningKey.load(tmp_path / "text")
    other = generate_private_key(SECP256R1())
    encoded = other.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "ec").write_bytes(encoded)
    with pytest.raises(FleetError, match="not an Ed25519 key"):
        SigningKey.load(tmp_path / "ec")


def test_key_list_verifies_on_the_board_and_reads_in_cbor2():
    root, release = SigningKey.generate(), SigningKey.generate()
    blob = build_key_list(root, 3, [(release.public, ALL_SCOPES, "release")], created=1_800_000_000)
    opened = envelope.open_envelope(blob)
    assert opened.kid == root.kid
    assert ed25519.verify(root.public, opened.signature, opened.tbs(envelope.AAD_KEYS))
    assert not ed25519.verify(release.public, opened.signature, opened.tbs(envelope.AAD_KEYS))
    body = cbor2.loads(cbor2.loads(blob)[3])
    assert body[2] == 3 and body[3][0][2] == release.public and body[5] == 1_800_000_000
    assert read_key_list(blob).find(release.kid, "wasm", "greenhouse").name == "release"


def test_key_list_is_not_taken_for_a_manifest():
    root = SigningKey.generate()
    opened = envelope.open_envelope(build_key_list(root, 1, []))
    assert not ed25519.verify(root.public, opened.signature, opened.tbs(envelope.AAD_MANIFEST))


def test_verifies_says_no_to_a_changed_message():
    key = SigningKey.generate()
    signature = key.sign(b"message")
    assert verifies(key.public, signature, b"message")
    assert not verifies(key.public, signature, b"massage")
    assert not verifies(key.public, bytes(64), b"message")


def test_kid_is_the_board_s():
    key = SigningKey.generate()
    assert key.kid == envelope.kid_of(key.public)
    assert keys.covers(ALL_SCOPES, "cap:gpio:15") and not keys.covers(ALL_SCOPES, "kind:agent")
