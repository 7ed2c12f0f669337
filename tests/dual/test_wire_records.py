"""Envelope, manifest, key list, deployment document, pointer, report: round trips, limits, scopes, refusals."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire import desired, envelope, keys, report
from mpwasm.wire.cbor import Tag, decode, encode
from mpwasm.wire.manifest import Manifest

PUBLIC = bytes(range(32))
KID = envelope.kid_of(PUBLIC)


def manifest(**changes):
    fields = {
        "name": "sensor",
        "version": "1.2",
        "digest": b"d" * 32,
        "size": 900,
        "capabilities": ["gpio:15", "log"],
        "config": {"limit": -3, "unit": "C"},
    }
    fields.update(changes)
    return Manifest(**fields)


def key(*scopes):
    return keys.Key(kid=KID, public=PUBLIC, scopes=list(scopes), name="ci")


def test_manifest_round_trip_and_defaults():
    one = manifest()
    again = Manifest.parse(one.encode())
    assert again == one and again.encode() == one.encode()
    assert (again.kind, again.abi, again.entry, again.confirm_s, again.tries) == ("wasm", 1, "_start", 60, 3)
    assert again.config == {"limit": -3, "unit": "C"} and again.groups == ["*"]
    assert again.images == b"" and 21 not in one.to_map()
    raises(ValueError, Manifest)
    raises(ValueError, lambda: manifest(colour="red"))


def test_images_of_a_manifest():
    rows = b"".join([bytes((port, 3, 2, 0)) + bytes((port, 1, 0, 0)) + bytes([port]) * 32 for port in (4, 10)])
    one = Manifest.parse(manifest(images=rows).encode())
    assert one.image(4, 3, 2) == (260, b"\x04" * 32) and one.image(10, 3, 2) == (266, b"\x0a" * 32)
    assert one.image(11, 3, 2) is None and one.image(4, 2, 2) is None and one.image(4, 3, 1) is None
    assert Manifest.parse(manifest(images=rows[:50]).encode()).image(10, 3, 2) is None
    raises(ValueError, lambda: manifest(images=b"short").encode())
    data = manifest().to_map()
    data[21] = b""
    raises(Refused, lambda: Manifest.parse(encode(data)))


def test_manifest_with_a_field_out_of_its_limits_is_refused():
    cases = {
        1: (2, "1", None, True),
        2: ("", "x" * 33, 5, b"name", "a\x1b[2J", "a\x7f"),
        4: ("native", 1, None),
        5: (b"d" * 31, b"d" * 33, "d" * 32),
        6: (0, -1, 1 << 32, True, "900"),
        7: (0, 256),
        9: (0, None),
        10: ("log", ["log", "log"], [""], ["x" * 65], [1], ["a"] * 33, {}),
        11: ("", "a\n"),
        12: ({"": 1}, {"a": None}, {"a": "x" * 257}, {"a": 1 << 63}, {1: 1}, [], {"a": True}),
        13: (-1, 86401),
        14: (0, 17),
        15: (-1, 1 << 53),
        16: (1 << 32,),
        17: ([], "x"),
        18: (0, 11),
        19: (-1, 16),
        22: (-1, 86400001),
    }
    whole = decode(manifest().encode())
    for number in cases:
        for value in cases[number]:
            changed = dict(whole)
            changed[number] = value
            assert raises(Refused, Manifest.parse, encode(changed)).reason == "not-manifest", (number, value)


def test_manifest_with_a_missing_or_unknown_field_is_refused():
    whole = decode(manifest().encode())
    for number in whole:
        less = dict(whole)
        del less[number]
        assert raises(Refused, Manifest.parse, encode(less)).reason == "not-manifest"
    whole[99] = 1
    assert raises(Refused, Manifest.parse, encode(whole)).reason == "not-manifest"
    for other in (b"", b"\x00", b"\x80", b"\xa0", b"\xff"):
        assert raises(Refused, Manifest.parse, other).reason in ("cbor", "not-manifest")


def test_wrong_field_is_not_encoded():
    raises(ValueError, manifest(size=0).encode)
    raises(ValueError, manifest(name="x" * 33).encode)
    raises(ValueError, keys.KeyList(version=1, keys=[key()] * 17, created=0).encode)


def test_envelope_round_trip_and_what_is_signed():
    signed = []

    def sign(data):
        signed.append(data)
        return b"s" * 64

    blob = envelope.seal(b"body", KID, envelope.AAD_MANIFEST, sign)
    opened = envelope.open_envelope(blob)
    assert (opened.kid, opened.signature, opened.body) == (KID, b"s" * 64, b"body")
    assert opened.tbs(envelope.AAD_MANIFEST) == signed[0]
    assert opened.tbs(envelope.AAD_KEYS) != signed[0]
    structure = decode(signed[0])
    assert structure[0] == "Signature1" and structure[1] == b"\xa1\x01\x27" and structure[2] == b"wasmfleet/manifest/1"
    assert decode(structure[3])[0] == -16
    sign1 = decode(decode(blob)[2])
    assert sign1 == Tag(18, [b"\xa1\x01\x27", {4: KID}, None, b"s" * 64])


def test_other_envelopes_are_refused():
    protected = b"\xa1\x01\x27"
    sign1 = [
        5,
        Tag(17, [protected, {4: KID}, None, b"s" * 64]),
        Tag(18, None),
        Tag(18, [protected, {4: KID}, None]),
        Tag(18, [b"\xa1\x01\x26", {4: KID}, None, b"s" * 64]),
        Tag(18, [protected, {4: KID}, b"attached", b"s" * 64]),
        Tag(18, [protected, {4: KID}, None, b"s" * 63]),
        Tag(18, [protected, {}, None, b"s" * 64]),
        Tag(18, [protected, {4: KID[:7]}, None, b"s" * 64]),
        Tag(18, [protected, {4: KID, 5: 1}, None, b"s" * 64]),
        Tag(18, [protected, [], None, b"s" * 64]),
    ]
    blobs = [encode({2: encode(each), 3: b"body"}) for each in sign1]
    good = encode(Tag(18, [protected, {4: KID}, None, b"s" * 64]))
    blobs += [encode(each) for each in (1, {}, {2: good}, {3: b""}, {2: good, 3: "b"}, {2: good, 3: b"", 4: 1}, {2: 1, 3: b""}, [good, b""])]
    for blob in blobs:
        assert raises(Refused, envelope.open_envelope, blob).reason == "not-manifest"
    for blob in (b"", b"\xa2", encode({2: b"\xff", 3: b""})):
        assert raises(Refused, envelope.open_envelope, blob).reason == "cbor"


def test_wildcards_of_scopes():
    assert keys.covers(["gpio:15"], "gpio:15") and not keys.covers(["gpio:15"], "gpio:1") and not keys.covers(["gpio:1"], "gpio:15")
    assert keys.covers(["gpio:*"], "gpio:15") and keys.covers(["*"], "anything") and not keys.covers([], "log")
    assert not keys.covers(["gpio:*"], "adc:26") and not keys.covers(["telemetry:temperature"], "telemetry:*")
    assert keys.covers(["telemetry:*"], "telemetry:*") and keys.covers(["telemetry:*"], "telemetry:t*")
    assert keys.uncovered(["log", "gpio:*"], ["log", "gpio:3", "adc:1"]) == "adc:1"
    assert keys.uncovered(["cap:log"], ["log"], "cap:") is None


def test_key_list_finds_the_key_or_says_why_not():
    listed = keys.KeyList(version=3, keys=[key("kind:wasm", "group:green*")], revoked=[b"revoked!"], created=1700000000, floors={"sensor": 4})
    again = keys.KeyList.parse(listed.encode())
    assert again == listed and again.version == 3 and again.floors == {"sensor": 4}
    assert again.find(KID, "wasm", "greenhouse").public == PUBLIC
    assert raises(Refused, again.find, KID, "agent", "greenhouse").reason == "key-scope"
    assert raises(Refused, again.find, KID, "wasm", "barn").reason == "key-scope"
    assert raises(Refused, again.find, b"stranger", "wasm", "greenhouse").reason == "unknown-key"
    assert raises(Refused, again.find, b"revoked!", "wasm", "greenhouse").reason == "revoked-key"
    again.revoked = [KID]
    assert raises(Refused, again.find, KID, "wasm", "greenhouse").reason == "revoked-key"


def test_kid_that_is_not_its_keys_is_unknown():
    false = keys.Key(kid=b"pretends", public=PUBLIC, scopes=["kind:*", "group:*"])
    listed = keys.KeyList(version=1, keys=[false], created=0)
    assert raises(Refused, listed.find, b"pretends", "wasm", "g").reason == "unknown-key"


def test_manifest_beyond_the_keys_scope_is_refused():
    one = manifest(groups=["greenhouse"])
    key("kind:wasm", "group:greenhouse", "cap:log", "cap:gpio:*").allow(one)
    key("kind:wasm", "group:*", "cap:*").allow(one)
    narrow = (
        key("kind:*", "group:*", "cap:*"),
        key("kind:agent", "group:*", "cap:*"),
        key("kind:wasm", "group:barn", "cap:*"),
        key("kind:wasm", "group:*", "cap:log", "cap:gpio:16"),
        key(),
    )
    for each in narrow:
        assert raises(Refused, each.allow, one).reason == "key-scope"


def test_broken_key_lists_are_of_a_bad_root():
    whole = decode(keys.KeyList(version=1, keys=[key("kind:wasm")], revoked=[b"12345678"], created=5).encode())
    for number, value in ((1, 2), (2, 0), (3, {}), (3, [{1: KID}]), (3, [5]), (4, [b"short"]), (4, b""), (5, -1), (6, {"a": -1}), (6, [])):
        changed = dict(whole)
        changed[number] = value
        assert raises(Refused, keys.KeyList.parse, encode(changed)).reason == "bad-root", (number, value)


def test_document_and_pointer_round_trip():
    component = desired.Component(slot=0, manifest=b"m" * 32, manifest_size=300)
    document = desired.Document(components=[component], keys_version=2, keys=b"k" * 32, keys_size=400)
    assert desired.Document.parse(document.encode()) == document
    pointer = desired.Pointer(7, b"d" * 32, 120, 30, b"nonce..8")
    again = desired.Pointer.parse(pointer.encode())
    assert (again.seq, again.document, again.size, again.window_s, again.nonce) == (7, b"d" * 32, 120, 30, b"nonce..8")


def test_broken_pointers_and_documents_are_refused():
    good = [7, b"d" * 32, 120, 30, b"nonce..8"]
    for index, value in ((0, -1), (0, 1 << 53), (0, True), (0, "7"), (1, b""), (1, None), (2, 4097), (3, 86401), (4, b"1234567"), (4, 8)):
        bad = list(good)
        bad[index] = value
        assert raises(Refused, desired.Pointer.parse, encode(bad)).reason == "cbor"
    for bad in (good[:4], good + [1], {}, 5):
        assert raises(Refused, desired.Pointer.parse, encode(bad)).reason == "cbor"
    whole = decode(desired.Document(components=[], keys_version=1, keys=b"k" * 32, keys_size=10).encode())
    for number, value in ((1, 2), (2, [{}]), (2, 5), (3, 0), (4, b""), (5, 8193)):
        changed = dict(whole)
        changed[number] = value
        assert raises(Refused, desired.Document.parse, encode(changed)).reason == "cbor"


def test_report_round_trip_and_newer_keys_ignored():
    part = report.ComponentReport(
        state="rejected", reason="digest", detail="payload\n\x1b", manifest=b"m" * 32, name="sensor", version="1", progress=40
    )
    whole = report.Report(
        seq=9,
        components=[part],
        boot_id=b"boot-id.",
        counter=3,
        boots=2,
        free_heap=100000,
        rssi=-70,
        abi=1,
        nonce=bytes(8),
        floor=1700000000,
        keys_version=1,
        port="rp2",
        firmware="1.28.0",
        agent="0.1.0",
        min_free_heap=60000,
    )
    assert report.Report.parse(whole.encode()) == whole
    newer = decode(whole.encode())
    newer[99] = "something new"
    assert report.Report.parse(encode(newer)) == whole
    newer[2][0][2] = "dancing"
    assert raises(Refused, report.Report.parse, encode(newer)).reason == "cbor"
