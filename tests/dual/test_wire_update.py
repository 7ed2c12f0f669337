"""The update machine on the way to a trial: the whole way, every named refusal, replays, corrupt blobs."""

from update_bench import KEY, PAYLOAD, RELEASE, ROOT, STRANGER, TOPIC, Bench, Fleet, deployed

from mpwasm.wire import envelope
from mpwasm.wire.cbor import encode
from mpwasm.wire.mac import seal_mac
from mpwasm.wire.saved import Saved


def refused(reason, outcome="rejected", key_list=None, manifest=None, **options):
    """Push seq 2 bent by the arguments: it must be refused by `reason`, seq 1 run on, and seq 2 never be tried again."""
    fleet, bench = deployed()
    first = bench.running
    for name in ("room", "payload"):
        if name in options:
            setattr(bench, name, options.pop(name))
    listed = fleet.key_list(**key_list) if key_list else None
    made = fleet.manifest(**manifest) if manifest else None
    message = fleet.push(2, made, listed, **options)
    bench.feed("desired", TOPIC, message)
    assert bench.outcome() == (outcome, reason), (bench.outcome(), bench.machine.detail)
    assert bench.running == first and bench.saved()[0][0] == first
    bench.actions = []
    bench.feed("desired", TOPIC, message)
    assert bench.actions == ["report"]
    bench.boot()
    assert bench.outcome() == (outcome, reason) and bench.running == first
    bench.actions = []
    bench.feed("desired", TOPIC, message)
    assert bench.actions == ["report"]


def test_the_whole_way_to_confirmed():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.feed("desired", TOPIC, fleet.push(1))
    assert bench.log == ["idle", "idle", "check", "manifest", "verify", "preflight", "downloading", "verify-file", "staged", "trial"]
    assert bench.machine.wake == 10000 and bench.machine.nonce == b"nonce001"
    assert bench.part().name == "sensor"
    bench.feed("tick", now=9999)
    assert bench.machine.state == "trial"
    bench.feed("tick", now=10000)
    assert bench.outcome() == ("confirmed", None) and bench.machine.wake is None
    saved = Saved.parse(bench.journal)
    assert bench.saved() == {0: (bench.running, "1")} and saved.keys_version == 1 and saved.floor == 1000 and not saved.trial


def test_confirmed_module_starts_after_a_reset_and_is_not_fetched_again():
    fleet, bench = deployed()
    running = bench.running
    bench.boot()
    assert bench.running == running and bench.outcome() == ("confirmed", None)
    bench.actions = []
    bench.feed("desired", TOPIC, fleet.push(1))
    assert bench.actions == ["report"]
    bench.feed("desired", TOPIC, fleet.push(2))
    assert bench.outcome() == ("confirmed", None) and "download" not in bench.actions and "verify" not in bench.actions


def test_messages_that_change_nothing_are_named():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(5, manifest=fleet.manifest(version="5")))
    bench.feed("tick", now=20000)
    bench.log = []
    other = fleet.push(5)
    for message, topic in (
        (fleet.push(4), TOPIC),
        (fleet.push(5 + (1 << 20) + 1), TOPIC),
        (fleet.push(6, key=b"X" * 32), TOPIC),
        (fleet.push(6, topic="f/1/pico/cmd"), TOPIC),
        (fleet.push(6, topic="f/1/other/desired"), "f/1/other/desired"),
        (fleet.push(6), "f/1/pico/cmd"),
        (fleet.push(6), "nothing"),
        (b"", TOPIC),
        (seal_mac(KEY, TOPIC, b"\x80"), TOPIC),
        (other, TOPIC),
    ):
        bench.feed("desired", topic, message)
    assert bench.log == ["!stale-seq", "!seq-jump", "!mac", "!mac", "!wrong-device", "!topic", "!topic", "!mac", "!cbor", "!stale-seq"]
    assert bench.outcome() == ("confirmed", None) and bench.machine.saved.seq == 5


def test_largest_jump_is_taken():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(1 + (1 << 20)))
    assert bench.machine.saved.seq == 1 + (1 << 20)


def test_bad_keys_are_refused_by_name():
    refused("bad-root", key_list={"version": 2, "signer": STRANGER}, version=2)
    refused("bad-root", key_list={"version": 2, "signer": STRANGER, "kid": envelope.kid_of(ROOT)}, version=2)
    refused("keys-rollback", key_list={"version": 1, "created": 2000}, manifest={"version": "2"})
    refused("keys-rollback", key_list={"version": 3}, version=2)
    refused("unknown-key", manifest={"signer": STRANGER})
    refused("bad-signature", manifest={"forge": STRANGER, "version": "2"})
    refused("revoked-key", key_list={"version": 2, "revoked": [envelope.kid_of(RELEASE)]}, version=2, manifest={"version": "2"})
    refused("key-scope", key_list={"version": 2, "scopes": ["kind:agent", "group:*", "cap:*"]}, version=2, manifest={"version": "2"})
    refused("key-scope", key_list={"version": 2, "scopes": ["kind:wasm", "group:barn"]}, version=2, manifest={"version": "2"})
    refused("key-scope", key_list={"version": 2, "scopes": ["kind:wasm", "group:*", "cap:log"]}, version=2, manifest={"version": "2"})


def test_rolled_back_key_list_is_refused():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2"), key_list=fleet.key_list(version=7), version=7))
    bench.feed("tick", now=30000)
    assert bench.outcome() == ("confirmed", None) and bench.machine.saved.keys_version == 7
    bench.feed("desired", TOPIC, fleet.push(3, manifest=fleet.manifest(version="3"), key_list=fleet.key_list(version=6), version=6))
    assert bench.outcome() == ("rejected", "keys-rollback")


def test_bad_manifests_are_refused_by_name():
    both = {"version": 2, "scopes": ["kind:wasm", "kind:agent", "group:*"]}
    refused("not-manifest", manifest={"kind": "agent", "capabilities": []}, key_list=both, version=2)
    refused("wrong-device", manifest={"groups": ["barn"]})
    refused("abi", manifest={"abi": 2})
    refused("capability", manifest={"capabilities": ["adc:26"]})
    refused("expired", manifest={"expiry": 999})
    refused("no-space", manifest={"version": "2"}, room=(5, 100000))
    refused("no-memory", manifest={"memory": 100001}, room=(100000, 100000))
    refused("digest", manifest={"version": "2"}, payload=b"flipped")


def test_bad_blobs_are_refused_by_name():
    for blob, reason in ((b"\xff", "cbor"), (encode({}), "not-manifest"), (encode({2: b"\xff", 3: b""}), "cbor")):
        fleet, bench = deployed()
        bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.put(blob)))
        assert bench.outcome() == ("rejected", reason)
        bench.feed("desired", TOPIC, fleet.push(3, key_list=fleet.put(b"\xff" + blob), manifest=fleet.manifest(version="9")))
        assert bench.outcome() == ("rejected", "bad-root")


def test_corrupt_blobs_are_fetched_once_more_then_refused():
    fleet, bench = deployed()
    message = fleet.push(2, manifest=fleet.manifest(version="2"))
    for name in list(fleet.blobs):
        if fleet.blobs[name].startswith(b"\xa5"):
            fleet.blobs[name] = bytes(len(fleet.blobs[name]))  # deployment documents
    bench.actions = []
    bench.feed("desired", TOPIC, message)
    assert bench.outcome() == ("rejected", "digest") and bench.actions.count("fetch") == 2


def test_payload_that_is_right_the_second_time():
    fleet, bench = deployed()
    bench.payload = b"flipped"
    bench.payload_again = PAYLOAD
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2")))
    assert bench.machine.state == "trial"
