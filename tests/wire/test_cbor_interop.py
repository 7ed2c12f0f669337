"""Our CBOR against cbor2: what we write it reads alike, what it writes canonically we read, and what we accept is what we would write."""

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from mpwasm.errors import Refused
from mpwasm.wire.cbor import Tag, decode, encode

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
SCALARS = st.one_of(st.integers(-(1 << 64), (1 << 64) - 1), st.binary(max_size=300), TEXT, st.booleans(), st.none())
KEYS = st.one_of(st.integers(-(1 << 64), (1 << 64) - 1), TEXT)
ITEMS = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=30), st.dictionaries(KEYS, inner, max_size=30)), max_leaves=40)


def depth(item):
    """How deep the containers of `item` nest."""
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, list):
        return 1 + max([depth(member) for member in item], default=0)
    return 0


@settings(max_examples=300, deadline=None)
@given(ITEMS.filter(lambda item: depth(item) <= 8))
def test_cbor2_reads_what_we_write(item):
    assert cbor2.loads(encode(item)) == item
    assert decode(encode(item)) == item


@settings(max_examples=300, deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=20), max_leaves=30).filter(lambda item: depth(item) <= 8))
def test_we_read_what_cbor2_writes_byte_for_byte(item):
    assert encode(item) == cbor2.dumps(item)


def test_tags_are_read_alike():
    ours = encode(Tag(18, [b"\xa1", {4: b"kid"}, None, b"sig"]))
    theirs = cbor2.loads(ours)
    assert theirs.tag == 18 and list(theirs.value) == [b"\xa1", {4: b"kid"}, None, b"sig"]
    assert cbor2.dumps(cbor2.CBORTag(18, [b"\xa1", {4: b"kid"}, None, b"sig"])) == ours


@settings(max_examples=2000, deadline=None)
@given(st.binary(max_size=40))
def test_what_is_accepted_is_deterministic(data):
    """Only one byte string decodes to any item: accepted bytes are exactly those that `encode` gives back."""
    try:
        item = decode(data)
    except Refused as refusal:
        assert refusal.reason == "cbor"
        return
    assert encode(item) == data


@settings(max_examples=1000, deadline=None)
@given(ITEMS.filter(lambda item: depth(item) <= 8), st.data())
def test_mutations_are_refused_or_deterministic(item, data):
    whole = bytearray(encode(item))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    test_what_is_accepted_is_deterministic.hypothesis.inner_test(bytes(whole))
