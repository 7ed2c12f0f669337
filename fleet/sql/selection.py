"""Filters that choose boards (`fleet.selection`) as conditions of SQL."""

import time

from sqlmodel import and_, col, exists, not_, or_, select

from fleet.model import Component, Device, Label, Membership, Report
from fleet.selection import Both, Either, Not, parse

_OF_COMPONENT = {"module": Component.name, "version": Component.version, "status": Component.state, "reason": Component.reason}
_OF_REPORT = {name: getattr(Report, name) for name in ("port", "firmware", "agent", "free_heap", "rssi", "boots")}
_OF_DEVICE = {"id": Device.id, "state": Device.state, "board": Device.board}
_LIKE_ESCAPE = "\\"


def condition(text):
    """The SQL condition on `Device` of the filter in `text`; FleetError if it is none."""
    return _condition(parse(text))


def _condition(tree):
    if isinstance(tree, Both):
        return and_(*[_condition(part) for part in tree.parts])
    if isinstance(tree, Either):
        return or_(*[_condition(part) for part in tree.parts])
    if isinstance(tree, Not):
        return not_(_condition(tree.part))
    if tree.operator == "!=":
        return not_(_holds(tree.field, "=", tree.value))
    return _holds(tree.field, tree.operator, tree.value)


def _holds(field, operator, value):
    """Whether a board has something called `field` of which the comparison is true: never NULL, so that `not` is right."""
    if field.startswith("label."):
        return _exists(Label, _compare(Label.value, operator, value), Label.name == field.removeprefix("label."))
    if field == "group":
        return _exists(Membership, _compare(Membership.group, operator, value))
    if field in _OF_COMPONENT:
        return _exists(Component, _compare(_OF_COMPONENT[field], operator, value), Component.slot == 0)
    if field in _OF_REPORT:
        return _exists(Report, _compare(_OF_REPORT[field], operator, value))
    column = time.time() - Device.seen if field == "seen_s" else _OF_DEVICE[field]
    return and_(col(Device.seen if field == "seen_s" else column).is_not(None), _compare(column, operator, value))


def _exists(model, *where):
    return exists(select(model.device).where(model.device == Device.id, *where))


def _compare(column, operator, value):
    if operator == "~":
        return column.like(_pattern(value), escape=_LIKE_ESCAPE)
    return {"=": column == value, "<": column < value, "<=": column <= value, ">": column > value, ">=": column >= value}[operator]


def _pattern(value):
    """`*` and `?` as LIKE has them, its own wildcards escaped."""
    for mark in (_LIKE_ESCAPE, "%", "_"):
        value = value.replace(mark, _LIKE_ESCAPE + mark)
    return value.replace("*", "%").replace("?", "_")
