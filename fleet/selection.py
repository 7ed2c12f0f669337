"""Filters that choose boards, such as `label.site=north and board=pico_w`: read into a tree, without knowing the database.

filter  = part { "or" part } ;  part = term { "and" term } ;  term = [ "not" ] ( "(" filter ")" | field operator value )
operator: = !=, ~ (a pattern with * and ?), for numbers < <= > >=;  value: a word, or anything in quotes
"""

import re
from dataclasses import dataclass

from fleet.errors import USAGE, FleetError

# Fields of a board, besides label.NAME; those of NUMBERS compare by value.
WORDS = ("id", "group", "state", "board", "port", "module", "version", "status", "reason", "firmware", "agent")
NUMBERS = ("free_heap", "rssi", "boots", "seen_s")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~")
_MAX_TERMS = 50

_TOKEN = re.compile(r"""\s*(?:(?P<mark>\(|\)|!=|<=|>=|=|<|>|~)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()=<>~!"']+))""")


@dataclass(frozen=True)
class Compare:
    """A field, one of `OPERATORS`, and a value (str; float for `NUMBERS`)."""

    field: str
    operator: str
    value: object


@dataclass(frozen=True)
class Both:
    """All of the parts."""

    parts: tuple


@dataclass(frozen=True)
class Either:
    """One of the parts."""

    parts: tuple


@dataclass(frozen=True)
class Not:
    """Not the part."""

    part: object


def parse(text):
    """The tree of a filter; FleetError (exit code 2) that says where it goes wrong."""
    return _Reader(text).whole()


class _Reader:
    """Reads one filter from left to right."""

    def __init__(self, text):
        self._text = text
        self._tokens = list(self._split(text))
        self._at = 0
        self._terms = 0

    def _split(self, text):
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if not match:
                raise self._wrong(f"I cannot read {text[place:].strip()!r}")
            yield next((kind, value) for kind, value in match.groupdict().items() if value is not None)
            place = match.end()

    def _wrong(self, what):
        example = "label.site=north and board=pico_w"
        return FleetError(f"The filter {self._text!r} is not understood: {what}. Write it like {example!r}.", USAGE)

    def _take(self, *words):
        """The next token if it is one of these words or marks."""
        if self._at < len(self._tokens):
            kind, value = self._tokens[self._at]
            if kind in ("mark", "word") and value.lower() in words:
                self._at += 1
                return value.lower()
        return None

    def whole(self):
        found = self._either()
        if self._at < len(self._tokens):
            raise self._wrong(f"{self._tokens[self._at][1]!r} is one too many")
        return found

    def _either(self, depth=0):
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return Either(tuple(parts)) if len(parts) > 1 else parts[0]

    def _both(self, depth):
        parts = [self._term(depth)]
        while self._take("and"):
            parts.append(self._term(depth))
        return Both(tuple(parts)) if len(parts) > 1 else parts[0]

    def _term(self, depth):
        self._terms += 1
        if self._terms > _MAX_TERMS or depth > _MAX_TERMS:
            raise self._wrong("it is too long")
        if self._take("not"):
            return Not(self._term(depth + 1))
        if self._take("("):
            inner = self._either(depth + 1)
            if not self._take(")"):
                raise self._wrong("a ) is missing")
            return inner
        return self._compare()

    def _compare(self):
        field = self._next("a field", ("word",))
        if field not in WORDS and field not in NUMBERS and not re.fullmatch(r"label\.[A-Za-z0-9_.-]{1,64}", field):
            raise self._wrong(f"there is no field {field!r}; there are label.NAME, {', '.join(WORDS + NUMBERS)}")
        operator = self._take(*OPERATORS)
        if not operator:
            raise self._wrong(f"{field} is followed by none of {' '.join(OPERATORS)}")
        if operator not in (("=", "!=", "~") if field not in NUMBERS else ("=", "!=", "<", "<=", ">", ">=")):
            raise self._wrong(f"{field} cannot be compared with {operator}")
        value = self._next("a value", ("word", "double", "single"))
        return Compare(field, operator, self._number(field, value) if field in NUMBERS else value)

    def _next(self, what, kinds):
        if self._at >= len(self._tokens) or self._tokens[self._at][0] not in kinds:
            raise self._wrong(f"{what} is missing")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _number(self, field, value):
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not abs(number) < 1e18:
            raise self._wrong(f"{field} is a number, and {value!r} is none")
        return number
