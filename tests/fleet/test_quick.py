"""Messages made and read quickly on the host are those of `mpwasm.wire`, byte by byte, and the same are refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import quick
from mpwasm.errors import Refused
from mpwasm.wire import cbor, mac

KEYS, PAYLOADS = st.binary(min_size=32, max_size=32), st.binary(max_size=600)
TOPIC = "f/1/one/reported"


@settings(max_examples=200)
@given(KEYS, PAYLOADS)
def test_sealed_messages_are_the_same_bytes(key, payload):
    sealed = quick.seal_mac(key, TOPIC, payload)
    assert sealed == mac.seal_mac(key, TOPIC, payload)
    assert quick.open_mac(key, TOPIC, sealed) == payload


@settings(max_examples=200)
@given(KEYS, PAYLOADS, st.data())
def test_bent_messages_are_refused(key, payload, data):
    bent = bytearray(mac.seal_mac(key, TOPIC, payload))
    bent[data.draw(st.integers(0, len(bent) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Refused):
        quick.open_mac(key, TOPIC, bytes(bent))


@given(st.binary(max_size=100))
def test_anything_else_is_refused(noise):
    with pytest.raises(Refused):
        quick.open_mac(bytes(32), TOPIC, noise)


@pytest.mark.parametrize("topic", ["f/1/two/reported", "f/1/one/log"])
def test_another_topic_is_refused(topic):
    with pytest.raises(Refused):
        quick.open_mac(bytes(32), topic, quick.seal_mac(bytes(32), TOPIC, b"x"))


ITEMS = st.none() | st.integers(-(1 << 40), 1 << 40) | st.text(max_size=40) | st.binary(max_size=40)


@given(st.dictionaries(st.integers(0, 30), ITEMS | st.lists(st.dictionaries(st.integers(0, 9), ITEMS, max_size=9), max_size=3), max_size=20))
def test_maps_are_encoded_the_same(body):
    assert quick.encode(body) == cbor.encode(body)
    assert quick.decode(cbor.encode(body)) == cbor.decode(cbor.encode(body))


@given(st.binary(max_size=60))
def test_what_is_no_cbor_is_refused_or_read(noise):
    try:
        quick.decode(noise)
    except Refused as refusal:
        assert refusal.reason == "cbor"
