"""MQTT sessions: connecting, subscriptions, QoS 1 in flight over lost connections, keepalive, time-outs."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire import mqtt
from mpwasm.wire.connect import connect
from mpwasm.wire.session import Session

ACCEPTED = b"\x20\x02\x00\x00"


def drain(session):
    out = []
    while True:
        data = session.outgoing()
        if not data:
            return out
        out.append(data)


def connected(now=0, **options):
    session = Session("pico", **options)
    session.open(now)
    assert drain(session)[0][0] == 0x10
    assert session.feed(ACCEPTED, now) == [("connected", False)]
    return session


def test_connect_comes_first_and_refusal_is_an_event():
    session = Session("pico", "user", "secret", ("s", b"lost", 1, True), 30)
    assert session.outgoing() == b"" and session.wake() is None
    session.open(1000)
    assert drain(session) == [connect("pico", 30, True, "user", "secret", ("s", b"lost", 1, True))]
    assert session.wake() == 11000 and session.tick(10999) == []
    assert session.feed(b"\x20\x02\x00\x05", 1000) == [("refused", 5)]
    assert session.wake() is None


def test_no_connack_in_time_is_lost():
    session = Session("pico")
    session.open(0)
    assert session.tick(10000) == [("lost", "connack")]


def test_subscriptions_are_made_again_at_each_connection():
    session = Session("pico")
    assert session.subscribe([("a", 1), ("b", 0)]) == 0
    for _ in range(2):
        session.open(0)
        drain(session)
        session.feed(ACCEPTED, 0)
        sent = drain(session)
        assert len(sent) == 1 and sent[0][4:] == b"\x00\x01a\x01\x00\x01b\x00"
        session.close()
    session.open(0)
    session.feed(ACCEPTED, 0)
    drain(session)
    assert session.feed(b"\x90\x03\x00\x09\x01", 0) == [("subscribed", 9, b"\x01")]


def test_messages_are_given_and_acknowledged():
    session = connected()
    events = session.feed(mqtt.publish("t", b"one") + mqtt.publish("t", b"two", 1, True, 77, True), 0)
    assert events == [("message", "t", b"one", False, False), ("message", "t", b"two", True, True)]
    assert drain(session) == [mqtt.puback(77)]


def test_qos_1_is_kept_until_acknowledged_and_sent_again_with_dup():
    session = connected(now=0, keepalive_s=0)
    first = session.publish("t", b"1", 0, 1)
    second = session.publish("t", b"2", 0, 1, True)
    assert drain(session) == [mqtt.publish("t", b"1", 1, False, first), mqtt.publish("t", b"2", 1, True, second)]
    assert session.feed(mqtt.puback(first), 5) == [("acked", first)]
    assert session.feed(mqtt.puback(first), 5) == []
    assert session.wake() == 20000 and session.tick(19999) == [] and drain(session) == []
    session.tick(20000)
    assert drain(session) == [mqtt.publish("t", b"2", 1, True, second, True)]
    session.close()
    session.open(30000)
    drain(session)
    session.feed(ACCEPTED, 30000)
    assert drain(session) == [mqtt.publish("t", b"2", 1, True, second, True)]
    assert session.inflight == 1
    session.feed(mqtt.puback(second), 30001)
    assert session.inflight == 0


def test_qos_1_waits_for_the_connection_qos_0_does_not():
    session = Session("pico")
    assert session.publish("t", b"0", 0) is None
    packet_id = session.publish("t", b"1", 0, 1)
    assert packet_id == 1 and session.outgoing() == b""
    session.open(0)
    drain(session)
    session.feed(ACCEPTED, 0)
    assert drain(session) == [mqtt.publish("t", b"1", 1, False, packet_id)]


def test_room_is_limited():
    session = connected()
    ids = [session.publish("t", b"x", 0, 1) for _ in range(9)]
    assert ids[8] is None and len(set(ids[:8])) == 8
    session.feed(mqtt.puback(ids[3]), 0)
    assert session.publish("t", b"x", 0, 1) not in ids
    drain(session)
    results = [session.publish("t", b"x", 0) for _ in range(17)]
    assert results[15] == 0 and results[16] is None


def test_packet_ids_wrap_and_skip_those_in_flight():
    session = connected()
    held = session.publish("t", b"held", 0, 1)
    session._last_id = 65535
    assert session.publish("t", b"x", 0, 1) == held + 1


def test_keepalive_pings_and_notices_silence():
    session = connected(keepalive_s=30)
    assert session.wake() == 15000
    assert session.tick(15000) == [] and drain(session) == [mqtt.pingreq()]
    session.feed(b"\xd0\x00", 15100)
    assert session.tick(30000) == [] and drain(session) == [mqtt.pingreq()]
    assert session.tick(45000) == [("lost", "keepalive")]


def test_wrong_order_is_refused():
    session = Session("pico")
    session.open(0)
    assert raises(Refused, session.feed, b"\xd0\x00", 0).reason == "mqtt"
    assert raises(Refused, connected().feed, ACCEPTED, 0).reason == "mqtt"
    closed = Session("pico")
    assert raises(Refused, closed.feed, ACCEPTED, 0).reason == "mqtt"


def test_flood_of_messages_to_acknowledge_is_refused():
    session = connected()
    flood = mqtt.publish("t", b"", 1, False, 5) * 300
    assert raises(Refused, session.feed, flood, 0).reason == "mqtt"


def test_half_a_packet_does_not_outlive_its_connection():
    session = connected()
    session.feed(mqtt.publish("topic", b"payload")[:5], 0)
    session.close()
    session.open(0)
    assert session.feed(ACCEPTED, 0) == [("connected", False)]
