"""Collects the few figures that a test run prints on its last line."""

_figures = {}


def record(name, value):
    """Keep `value` (anything printable) under `name`; the last one counts."""
    _figures[name] = value


def add(name, count):
    """Add to a number kept under `name`."""
    _figures[name] = _figures.get(name, 0) + count


def line():
    """All figures as one line, or "" when there are none."""
    return "; ".join(f"{name}: {value}" for name, value in _figures.items())
