"""Envelopes and MACs against independent tools: cbor2 for the structure, `cryptography` and `hmac` for the mathematics."""

import hashlib
import hmac

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from mpwasm.wire import envelope, mac
from mpwasm.wire.ed25519 import verify


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from((envelope.AAD_MANIFEST, envelope.AAD_KEYS)))
def test_sealed_by_cryptography_verified_by_us(body, aad):
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key().public_bytes_raw()
    opened = envelope.open_envelope(envelope.seal(body, envelope.kid_of(public), aad, private.sign))
    assert opened.body == body and opened.kid == hashlib.sha256(public).digest()[:8]
    assert verify(public, opened.signature, opened.tbs(aad))
    other = envelope.AAD_KEYS if aad == envelope.AAD_MANIFEST else envelope.AAD_MANIFEST
    assert not verify(public, opened.signature, opened.tbs(other))


def test_envelope_made_with_other_tools_opens_and_verifies():
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = private.public_key().public_bytes_raw()
    protected = cbor2.dumps({1: -8})
    payload = cbor2.dumps([-16, hashlib.sha256(b"body").digest()])
    signature = private.sign(cbor2.dumps(["Signature1", protected, b"wasmfleet/keys/1", payload]))
    sign1 = cbor2.CBORTag(18, [protected, {4: hashlib.sha256(public).digest()[:8]}, None, signature])
    opened = envelope.open_envelope(cbor2.dumps({2: cbor2.dumps(sign1), 3: b"body"}))
    assert verify(public, opened.signature, opened.tbs(envelope.AAD_KEYS))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=500))
def test_hmac_is_the_standard_librarys(key, message):
    assert mac.hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


def test_mac_made_with_other_tools_opens():
    key = mac.derive(bytes(32), b"desired")
    protected = cbor2.dumps({1: 5})
    tag = hmac.digest(key, cbor2.dumps(["MAC0", protected, b"f/1/a/desired", b"payload"]), "sha256")
    message = cbor2.dumps(cbor2.CBORTag(17, [protected, {}, b"payload", tag]))
    assert mac.open_mac(key, "f/1/a/desired", message) == b"payload"
    assert mac.seal_mac(key, "f/1/a/desired", b"payload") == message
