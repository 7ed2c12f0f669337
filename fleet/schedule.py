"""Times at which orders may go out, written as `mon-fri 22:00-06:00 Europe/Berlin`: pure, given the time.

Days are `mon` to `sun`, a range of them, a list with commas, or left out for all; a span over midnight belongs to the day it begins on;
the zone is an IANA name, UTC if left out.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SHAPE = re.compile(r"(?:([a-z,-]+)\s+)?(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)(?:\s+([A-Za-z0-9_+/-]+))?")
_DAY_MINUTES = 1440


@dataclass(frozen=True)
class Span:
    """Days (0 is Monday), first minute and length in minutes, zone."""

    days: frozenset
    start: int
    minutes: int
    zone: ZoneInfo

    def holds(self, now):
        """Whether `now` (seconds since 1970) lies in it."""
        local = datetime.fromtimestamp(now, self.zone)
        minute = local.hour * 60 + local.minute
        yesterday = (local - timedelta(days=1)).weekday()
        today = local.weekday() in self.days and 0 <= minute - self.start < self.minutes
        return today or (yesterday in self.days and minute + _DAY_MINUTES - self.start < self.minutes)


def parse(text):
    """The `Span` in `text`; ValueError with a sentence that says what is wrong."""
    found = _SHAPE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no time window: write it like `mon-fri 22:00-06:00 Europe/Berlin`.")
    days, hour, minute, end_hour, end_minute, zone = found.groups()
    start, end = _minute(hour, minute, text), _minute(end_hour, end_minute, text)
    try:
        where = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} names the time zone {zone}, which is not known here.") from error
    return Span(_days(days, text), start % _DAY_MINUTES, (end - start) % _DAY_MINUTES or _DAY_MINUTES, where)


def _minute(hour, minute, text):
    if int(minute) > 59 or int(hour) * 60 + int(minute) > _DAY_MINUTES:
        raise ValueError(f"{text!r} has no such time of day: use 00:00 to 24:00.")
    return int(hour) * 60 + int(minute)


def _days(text, whole):
    if text is None:
        return frozenset(range(7))
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"{whole!r} has no such day: use {', '.join(DAYS)}.")
        start, count = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        found |= {(start + i) % 7 for i in range(count + 1)}
    return frozenset(found)


def may_send(windows, now):
    """Whether `now` lies in one of `windows` (texts); always if there are none."""
    return not windows or any(parse(text).holds(now) for text in windows)
