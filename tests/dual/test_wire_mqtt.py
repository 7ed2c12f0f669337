"""MQTT 3.1.1: packets byte by byte as the standard has them, the parser in pieces of any size, and hostile input."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire import mqtt
from mpwasm.wire.connect import connect


def parse(data, max_packet=2048):
    return list(mqtt.Parser(max_packet).feed(data))


def test_connect():
    assert connect("id", 60) == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02id"
    whole = connect("id", 10, False, "user", "secret", ("will/topic", b"gone", 1, True))
    body = b"\x00\x04MQTT\x04\xec\x00\x0a\x00\x02id\x00\x0awill/topic\x00\x04gone\x00\x04user\x00\x06secret"
    assert whole == b"\x10" + bytes([len(body)]) + body


def test_other_packets_a_client_sends():
    assert mqtt.publish("a/b", b"hi") == b"\x30\x07\x00\x03a/bhi"
    assert mqtt.publish("a/b", bytearray(b"hi"), 1, True, 10, True) == b"\x3b\x09\x00\x03a/b\x00\x0ahi"
    assert mqtt.puback(0x1234) == b"\x40\x02\x12\x34"
    assert mqtt.subscribe(1, [("a/#", 1), ("b", 0)]) == b"\x82\x0c\x00\x01\x00\x03a/#\x01\x00\x01b\x00"
    assert mqtt.pingreq() == b"\xc0\x00"


def test_remaining_length_at_its_borders():
    for size, head in ((124, b"\x7f"), (125, b"\x80\x01"), (16380, b"\xff\x7f"), (16381, b"\x80\x80\x01")):
        packet = mqtt.publish("t", bytes(size))
        assert packet[1 : 1 + len(head)] == head and len(packet) == 1 + len(head) + 3 + size
        assert parse(packet, 20000) == [(mqtt.PUBLISH, "t", bytes(size), 0, False, False, 0)]


def test_packets_a_client_takes():
    assert parse(b"\x20\x02\x00\x00") == [(mqtt.CONNACK, 0, False)]
    assert parse(b"\x20\x02\x01\x00") == [(mqtt.CONNACK, 0, True)]
    assert parse(b"\x20\x02\x00\x05") == [(mqtt.CONNACK, 5, False)]
    assert parse(b"\x3b\x09\x00\x03a/b\x00\x0ahi") == [(mqtt.PUBLISH, "a/b", b"hi", 1, True, True, 10)]
    assert parse(b"\x30\x03\x00\x01a") == [(mqtt.PUBLISH, "a", b"", 0, False, False, 0)]
    assert parse(b"\x40\x02\x12\x34") == [(mqtt.PUBACK, 0x1234)]
    assert parse(b"\x90\x04\x00\x01\x01\x80") == [(mqtt.SUBACK, 1, b"\x01\x80")]
    assert parse(b"\xd0\x00") == [(mqtt.PINGRESP,)]


def test_pieces_of_any_size_give_the_same_packets():
    stream = b"\x20\x02\x00\x00" + mqtt.publish("a/b", bytes(range(256)) * 2, 1, False, 7) + b"\xd0\x00\x40\x02\x00\x07" + mqtt.publish("c", b"")
    whole = parse(stream)
    assert len(whole) == 5
    for size in (1, 2, 3, 7, 100, 517):
        parser = mqtt.Parser(1024)
        packets = []
        for start in range(0, len(stream), size):
            packets += list(parser.feed(memoryview(stream)[start : start + size]))
        assert packets == whole


def test_what_a_broker_must_not_send_is_refused():
    bad = (
        b"\x00\x00",  # reserved type
        b"\xf0\x00",
        b"\x10\x00",  # a client's packets
        b"\x82\x00",
        b"\xc0\x00",
        b"\xe0\x00",
        b"\x50\x02\x00\x01",  # QoS 2
        b"\x62\x02\x00\x01",
        b"\x34\x07\x00\x03a/b\x00\x01",
        b"\x36\x07\x00\x03a/b\x00\x01",
        b"\x38\x05\x00\x03a/b",  # DUP with QoS 0
        b"\x21\x02\x00\x00",  # flags
        b"\x41\x02\x00\x01",
        b"\xd1\x00",
        b"\x20\x01\x00",  # lengths
        b"\x20\x03\x00\x00\x00",
        b"\x20\x02\x02\x00",
        b"\x20\x02\x00\x06",
        b"\x20\x02\x01\x01",  # session present and refused
        b"\x40\x01\x01",
        b"\x40\x03\x00\x01\x00",
        b"\x40\x02\x00\x00",  # packet id 0
        b"\x32\x07\x00\x03a/b\x00\x00",
        b"\x90\x02\x00\x01",
        b"\x90\x03\x00\x00\x01",
        b"\x90\x03\x00\x01\x03",
        b"\xb0\x03\x00\x01\x00",
        b"\xd0\x01\x00",
        b"\x30\x00",  # topics
        b"\x30\x01\x00",
        b"\x30\x02\x00\x00",
        b"\x30\x04\x00\x03ab",
        b"\x32\x05\x00\x03a/b",
        b"\x30\x04\x00\x02a#",
        b"\x30\x04\x00\x02a+",
        b"\x30\x04\x00\x02a\x00",
        b"\x30\x04\x00\x02\xc3\x28",
        b"\x30\xff\xff\xff\xff\x01",  # five bytes of length
        b"\x30\x80\x80\x80\x80\x00",
        b"\x30\x81\x10",  # 2049: larger than the buffer
        b"\x30\xff\xff\xff\x7f",
    )
    for stream in bad:
        assert raises(Refused, parse, stream).reason == "mqtt", stream


def test_refused_parser_stays_refused_until_reset():
    parser = mqtt.Parser(64)
    raises(Refused, lambda: list(parser.feed(b"\xf0")))
    raises(Refused, lambda: list(parser.feed(b"\xd0\x00")))
    parser.reset()
    assert list(parser.feed(b"\xd0\x00")) == [(mqtt.PINGRESP,)]


def test_packets_before_a_broken_one_are_given():
    parser = mqtt.Parser(64)
    packets = []
    try:
        for packet in parser.feed(b"\xd0\x00\x40\x02\x00\x01\xf0\x00"):
            packets.append(packet)
    except Refused:
        packets.append("refused")
    assert packets == [(mqtt.PINGRESP,), (mqtt.PUBACK, 1), "refused"]
