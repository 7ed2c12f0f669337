"""Time windows: what they hold, and what is said of those that are none."""

from datetime import UTC, datetime

import pytest

from fleet.schedule import may_send, parse


def at(text):
    """Seconds since 1970 of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# 2026-11-23 is a Monday.
@pytest.mark.parametrize(
    ("window", "when", "holds"),
    [
        ("09:00-17:00", "2026-11-23T09:00", True),
        ("09:00-17:00", "2026-11-23T17:00", False),
        ("mon-fri 22:00-06:00", "2026-11-28T05:59", True),  # Saturday morning still belongs to Friday
        ("mon-fri 22:00-06:00", "2026-11-23T05:59", False),  # Monday morning belongs to Sunday
        ("mon-fri 22:00-06:00", "2026-11-28T22:00", False),
        ("sat,sun 00:00-24:00", "2026-11-29T23:59", True),
        ("sat,sun 00:00-24:00", "2026-11-30T00:00", False),
        ("fri-mon 10:00-11:00", "2026-11-29T10:30", True),
        ("22:00-23:00 Europe/Berlin", "2026-11-23T21:30", True),
        ("22:00-23:00 Europe/Berlin", "2026-07-23T20:30", True),  # summer time
    ],
)
def test_window(window, when, holds):
    assert may_send([window], at(when)) is holds


def test_no_window_is_always():
    assert may_send((), 0)


@pytest.mark.parametrize("text", ["", "noon", "mon 9-17", "xyz 09:00-17:00", "25:00-26:00", "09:61-10:00", "09:00-10:00 Mars/Base"])
def test_bad_window_is_named(text):
    with pytest.raises(ValueError, match="window|day|zone"):
        parse(text)
