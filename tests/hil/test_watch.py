"""What is seen of a board from outside: its turns by its watchdog, pieces of its TCP streams, and when a text in them was complete."""

from types import SimpleNamespace

import pytest
from rp2040py.external.cyw43 import nat
from rp2040py.peripherals.watchdog import RPWatchdog

from hil.emulated import EmulatedRP2040
from hil.target import Missing
from hil.watch import Watch, first, last

FEEDS = "import machine, time\nw = machine.WDT(timeout=8000)\nfor _ in range(3):\n    w.feed()\n    time.sleep_ms(20)\nw.feed()"


@pytest.fixture
def watch():
    times = iter(range(99))
    chip = SimpleNamespace(watchdog=SimpleNamespace(write_uint32=lambda offset, value: None))
    watch = Watch(chip, lambda: next(times))
    yield watch
    watch.close()


def test_the_longest_time_without_a_turn_lies_between_two_times(watch):
    watch.turns = [0, 5, 6, 8, 20]
    assert watch.gaps(4, 9) == [(2, 6), (1, 5)] and watch.gaps(0, 30)[0] == (12, 8)
    assert watch.gaps(9, 12) == [(3, 9)], "no turn at all in it"


def test_pieces_of_both_streams_are_kept(watch, monkeypatch):
    monkeypatch.setattr(watch, "_segment", lambda *_: None)
    monkeypatch.setattr(watch, "_frame", lambda *_, **fields: fields)
    nat.TcpReflector._on_guest_segment(None, None, SimpleNamespace(payload=b"repor"))
    nat.TcpReflector._on_guest_segment(None, None, SimpleNamespace(payload=b""))
    assert nat.TcpReflector._build_tcp_frame(None, None, flags=0, payload=b"desired") == {"flags": 0, "payload": b"desired"}
    nat.TcpReflector._on_guest_segment(None, None, SimpleNamespace(payload=b"ted repor"))
    assert watch.said == [(0, b"repor"), (2, b"ted repor")] and watch.heard == [(1, b"desired")]
    assert first(watch.said, b"reported", 0) == 2 and first(watch.said, b"reported", 1) is None
    assert last(watch.said, b"repor", 0) == 2 and last(watch.said, b"desired", 0) is None


def test_afterwards_the_network_is_as_it_was(watch):
    watch.close()
    assert nat.TcpReflector._on_guest_segment.__module__ == nat.__name__ == nat.TcpReflector._build_tcp_frame.__module__


def test_a_board_that_feeds_its_watchdog_is_seen():
    target = EmulatedRP2040()
    try:
        target.flash()
        watch = target.watch()
        target.exec(FEEDS)
        watch.close()
        assert len(watch.turns) >= 4 and 0.019 < watch.turns[-1] - watch.turns[-2] < 0.03
        assert target._device.mcu.watchdog.write_uint32.__func__ is RPWatchdog.write_uint32
    except Missing as reason:
        pytest.skip(str(reason))
    finally:
        target.close()
