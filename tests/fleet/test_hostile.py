"""Boards, brokers and strangers that lie: nothing unauthentic is believed, and nothing stops the service."""

import os
import random
import time

import paho.mqtt.client as mqtt

from fleet.bus import Bus
from mpwasm.wire import cbor, mac, topics
from tests.fleet.site import wait

ROUNDS = 40


def audit(site, action="refused"):
    """The audit log's entries of one action as {(subject, detail)}."""
    return {(event.subject, event.detail) for event in site.store().audit_events(action)}


def test_report_with_a_wrong_mac_is_ignored_and_audited(bed):
    board = bed.board("one")
    wait(lambda: bed.site.store().report(board.id), what="for the first report")
    good = board.report_bytes("confirmed")
    board.publish("reported", good[:-1] + bytes([good[-1] ^ 1]))
    topic = topics.topic(board.id, "reported")
    wait(lambda: (topic, "mac") in audit(bed.site), what="for the audit entry")
    assert bed.site.client().device(board.id)["status"] == "idle"


def test_report_of_another_board_does_not_verify(bed):
    one, two = bed.board("one"), bed.board("two")
    one.publish("reported", two.report_bytes("confirmed"))
    wait(lambda: (topics.topic(one.id, "reported"), "mac") in audit(bed.site), what="for the audit entry")


def test_replayed_report_is_refused(bed):
    board = bed.board("one")
    old = board.report_bytes("failed")
    board.say("confirmed")
    wait(lambda: bed.site.client().device(board.id)["status"] == "confirmed", what="for the newer report")
    board.publish("reported", old)
    wait(lambda: (topics.topic(board.id, "reported"), "stale-seq: report") in audit(bed.site), what="for the audit entry")
    assert bed.site.client().device(board.id)["status"] == "confirmed"


def test_report_of_an_earlier_boot_is_refused(bed):
    board = bed.board("one")
    old = board.report_bytes("failed")
    board.boot_id, board.boots, board.counter = os.urandom(8), 2, 0
    board.say("confirmed")
    wait(lambda: bed.site.client().device(board.id)["status"] == "confirmed", what="for the newer report")
    board.publish("reported", old)
    wait(lambda: (topics.topic(board.id, "reported"), "stale-seq: report of an earlier boot") in audit(bed.site), what="for the audit entry")


def test_random_bytes_on_every_topic_do_not_stop_the_service(bed):
    board = bed.board("one")
    chance = random.Random(7)
    whole = [board.report_bytes("idle"), cbor.encode([[1, 2, 3, "x"]]), cbor.encode([bytes(32), 0, 1024, 16]), b"ready"]
    for _ in range(ROUNDS):
        for name in ("reported", "state", "get", "log", "tele", "cmd/res"):
            board.publish(name, chance.randbytes(chance.randrange(200)), 0)
            bent = bytearray(chance.choice(whole))
            bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
            board.publish(name, bytes(bent), 0)
    for nested in (cbor.encode([[[1]]]), cbor.encode({}), cbor.encode([[1, 2, 3]]), cbor.encode([["a", 2, 1, "x"]]), cbor.encode([[-1, 2, 1, "x"]])):
        board.publish("log", nested)
        board.publish("tele", nested)
    assert bed.push(bed.module()).code == 0
    assert bed.site.running()
    rows = [event for event in bed.site.store().audit_events("refused") if board.id in event.subject]
    assert sum(event.count for event in rows) > ROUNDS
    assert len(rows) < 300


def test_control_characters_do_not_reach_the_terminal(bed):
    board = bed.board("one")
    board.log("\x1b[2Jgone\r\n\x07")
    wait(lambda: "gone" in bed.site.ok("logs", board.id).out, what="for the line")
    assert "\x1b" not in bed.site.ok("logs", board.id).out


def refusals(address, user, password):
    """What a client with these credentials is told: [whether it was refused]."""
    answers = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=user or "anonymous")
    if user:
        client.username_pw_set(user, password)
    client.on_connect = lambda _client, _userdata, _flags, reason, _properties: answers.append(reason.is_failure)
    client.connect(*address)
    client.loop_start()
    time.sleep(0.5)
    client.disconnect()
    client.loop_stop()
    return answers


def test_wrong_passwords_do_not_get_in(bed):
    board = bed.board("one")
    for user, password in ((board.id, "0" * 64), ("nobody", "x"), (None, None)):
        assert False not in refusals(board.address, user, password)


def test_board_cannot_speak_for_another(bed):
    board, victim = bed.board("one"), bed.board("two")
    board._client.publish(topics.topic(victim.id, "state"), b"lost", 1, True)
    board._client.publish(topics.topic(board.id, "state"), b"sleeping", 1, True)
    wait(lambda: bed.site.client().device(board.id)["state"] == "sleeping", what="for the board's own state")
    assert bed.site.client().device(victim.id)["state"] == "ready"


def test_board_cannot_listen_to_another(bed):
    board, victim = bed.board("one"), bed.board("two")
    heard = []
    obey = board._client.on_message
    board._client.on_message = lambda client, userdata, message: (heard.append(message.topic), obey(client, userdata, message))
    board._client.subscribe([(topics.topic(victim.id, "desired"), 1), ("#", 1), ("f/1/+/desired", 1)])
    bed.push(bed.module(), "--no-watch")
    wait(lambda: victim.running, what="for the victim's module")
    assert {topics.parse(name)[0] for name in heard} <= {board.id}


def test_bus_says_why_it_is_kept_out(bed):
    address = bed.board("one").address
    bus = Bus(*address, "fleet-service-2", "wrong")
    bus.start()
    event = bus.events.get(timeout=5)
    bus.stop()
    assert event[0] == "down"


def test_blob_that_is_not_there_is_not_answered(bed):
    board = bed.board("one")
    board.publish("get", cbor.encode([b"\x11" * 32, 0, 1024, 1]))
    wait(lambda: (board.id, "11" * 32) in audit(bed.site, "no such blob"), what="for the audit entry")


def test_mac_binds_the_topic(bed):
    board = bed.board("one")
    key = mac.derive(board.key, b"report")
    payload = mac.open_mac(key, topics.topic(board.id, "reported"), board.report_bytes("confirmed"))
    board.publish("reported", mac.seal_mac(key, topics.topic(board.id, "log"), payload))
    wait(lambda: (topics.topic(board.id, "reported"), "mac") in audit(bed.site), what="for the audit entry")
