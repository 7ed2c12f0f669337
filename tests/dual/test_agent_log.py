"""The rings of lines and readings: bounded, counted, and readable whatever a guest writes."""

from mpwasm.agent.log import Log, Ring, text
from mpwasm.wire.cbor import decode


class Board:
    def uptime_ms(self):
        return 1234


def test_ring_drops_the_oldest_and_counts_on():
    ring = Ring(3)
    for i in range(5):
        ring.add([0, i])
    assert ring.entries == [[3, 2], [4, 3], [5, 4]]
    assert ring.dropped == 2 and ring.counter == 5
    assert decode(ring.batch(2)) == [[3, 2], [4, 3]]
    ring.sent(2)
    assert ring.entries == [[5, 4]]
    ring.sent(9)
    assert ring.entries == []


def test_lines_and_readings():
    log = Log(Board())
    log.line(1, b"hello")
    log.reading("temperature", -215, -1)
    assert decode(log.lines.batch(9)) == [[1, 1234, 1, "hello"]]
    assert decode(log.readings.batch(9)) == [[1, 1234, "temperature", -215, -1]]


def test_text_of_any_bytes():
    assert text("gr\u00fcn".encode()) == "gr\u00fcn"
    assert text(b"\xff\xfea\x00") == "??a\x00"
    log = Log(Board())
    log.line(2, b"\xc3\xa4" * 200)
    line = decode(log.lines.batch(1))[0][3]
    assert line == "\u00e4" * 80


def test_a_full_ring_of_the_longest_lines_is_bounded():
    log = Log(Board())
    for _ in range(1000):
        log.line(1, b"x" * 1000)
        log.reading("x" * 32, 2147483647, 18)
    assert len(log.lines.entries) == 24 and len(log.readings.entries) == 32
    assert len(log.lines.batch(6)) < 1100
