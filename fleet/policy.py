"""Reads how a rollout is to go from plain data, as command line, HTTP API and fleet.yaml give it, into a `fleet.rollout.Policy`."""

import re

from fleet import schedule
from fleet.errors import USAGE, FleetError
from fleet.rollout import Policy

# name -> (lowest, highest, what it must be)
_NUMBERS = {
    "success": (0, 1, "a share from 0 to 1"),
    "soak_s": (0, 86400 * 30, "seconds from 0 to 30 days"),
    "max_failures": (0, 10**6, "a number of boards"),
    "rate": (1, 10**6, "boards per minute, at least 1"),
    "timeout_s": (1, 86400 * 30, "seconds from 1 to 30 days"),
    "wave_timeout_s": (1, 86400 * 365, "seconds from 1 to a year"),
}
_WHOLE = ("max_failures", "rate")
_OPTIONAL = ("max_failures", "rate")

AT_ONCE = {"waves": ["100%"], "success": 0}


def read(data):
    """The `Policy` of plain data such as {"waves": ["1", "5%", "100%"], "success": 0.9, "windows": [...]}; FleetError naming what is wrong."""
    data = {name: value for name, value in (data or {}).items() if value is not None or name in _OPTIONAL}
    known = set(Policy.__dataclass_fields__)
    for name in data:
        if name not in known:
            raise _wrong(f"A rollout has no {name!r}. It may have: {', '.join(sorted(known))}")
    found = {name: _number(name, data[name]) for name in _NUMBERS if name in data}
    if "waves" in data:
        found["waves"] = _waves(data["waves"])
    if "windows" in data:
        found["windows"] = _windows(data["windows"])
    return Policy(**found)


def _wrong(text):
    return FleetError(f"{text}.", USAGE)


def _number(name, value):
    low, high, what = _NUMBERS[name]
    if value is None and name in _OPTIONAL:
        return None
    if isinstance(value, bool) or not isinstance(value, int if name in _WHOLE else (int, float)) or not low <= value <= high:
        raise _wrong(f"{name} of a rollout must be {what}, not {value!r}")
    return value


def _waves(texts):
    """Totals that grow, the last one all boards; "100%" is added if it is missing."""
    if not isinstance(texts, (list, tuple)) or not 1 <= len(texts) <= 20:
        raise _wrong("waves of a rollout must be a list of 1 to 20, such as 1, 5%, 25%, 100%")
    found = [_wave(text) for text in texts]
    return tuple(found if found[-1] == 1.0 and isinstance(found[-1], float) else [*found, 1.0])


def _wave(text):
    match = re.fullmatch(r"(\d{1,6})(%?)", str(text).strip())
    if not match or int(match[1]) == 0 or (match[2] and int(match[1]) > 100):
        raise _wrong(f"{text!r} is no wave of a rollout: use a number of boards, such as 1, or a share, such as 5%")
    return int(match[1]) / 100 if match[2] else int(match[1])


def _windows(texts):
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        raise _wrong("windows of a rollout must be a list of texts, such as mon-fri 22:00-06:00 Europe/Berlin")
    try:
        for text in texts:
            schedule.parse(text)
    except ValueError as error:
        raise FleetError(str(error), USAGE) from error
    return tuple(texts)


def plain(policy):
    """The plain data of a `Policy`, as `read` takes it."""
    data = {name: getattr(policy, name) for name in Policy.__dataclass_fields__}
    data["waves"] = [f"{round(wave * 100)}%" if isinstance(wave, float) else str(wave) for wave in policy.waves]
    data["windows"] = list(policy.windows)
    return data
