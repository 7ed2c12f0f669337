"""The fleet's desired state as a file, fleet.yaml: read, checked, and compared with what is there. Pure.

    groups:
      greenhouse:
        boards: [pico-1, pico-2]      # who belongs to it; others are taken out
        module: build/sensor.wasm     # what they are to run
        aot: true                     # with machine code made ahead, as `fleet push --aot`
        rollout: {waves: ["1", "100%"], soak_s: 60}
    boards:
      pico-1: {labels: {site: north}}  # labels that are not named are taken away
"""

from dataclasses import dataclass, field

from fleet import policy
from fleet.errors import USAGE, FleetError

_GROUP = {"boards": list, "module": str, "aot": bool, "rollout": dict}
_BOARD = {"labels": dict}


@dataclass(frozen=True)
class State:
    """What a file asks for: {group: {"boards": [ids] or None, "module": path or None, "aot": bool, "rollout": plain policy}} and
    {board: {label: value}}."""

    groups: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)


def read(text):
    """The `State` in the text of a fleet.yaml, or its bytes; FleetError naming what is wrong."""
    import yaml

    try:
        data = yaml.safe_load(text if isinstance(text, str) else text.decode())
    except UnicodeDecodeError as error:
        raise _wrong("it is no text in UTF-8") from error
    except yaml.YAMLError as error:
        raise _wrong(f"it is not valid YAML ({str(error).splitlines()[0]})") from error
    data = _table(data or {}, {"groups": dict, "boards": dict}, "the file")
    groups = {name: _group(name, value) for name, value in (data.get("groups") or {}).items()}
    labels = {name: _labels(name, value) for name, value in (data.get("boards") or {}).items()}
    return State(groups, labels)


def _wrong(what):
    return FleetError(f"fleet.yaml is not understood: {what}.", USAGE)


def _table(value, fields, where):
    """A mapping that has no other keys than `fields` {name: type}; null stands for nothing."""
    if not isinstance(value, dict):
        raise _wrong(f"{where} must be a mapping")
    for name, content in value.items():
        if name not in fields:
            raise _wrong(f"{where} may have {', '.join(fields)}, but not {name!r}")
        if content is not None and not isinstance(content, fields[name]):
            raise _wrong(f"{name} of {where} must be {_NAMES[fields[name]]}")
    return value


_NAMES = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false"}


def _group(name, value):
    found = _table(value or {}, _GROUP, f"group {name}")
    boards = found.get("boards")
    if boards is not None and not all(isinstance(board, str) for board in boards):
        raise _wrong(f"boards of group {name} must be names")
    plan = found.get("rollout") or {}
    policy.read(plan)
    return {"boards": boards, "module": found.get("module"), "aot": bool(found.get("aot")), "rollout": plan}


def _labels(name, value):
    labels = _table(value or {}, _BOARD, f"board {name}").get("labels") or {}
    if not all(isinstance(label, str) and isinstance(word, (str, int, bool)) for label, word in labels.items()):
        raise _wrong(f"labels of board {name} must be words")
    return {label: str(word).lower() if isinstance(word, bool) else str(word) for label, word in labels.items()}


def changes(state, boards, groups, unchanged):
    """What is to be done so that the fleet is as `state` says: [{"do", …}], in order; none if it is already.

    `boards` are rows of `Client.devices`, `groups` names; `unchanged(group, path)` says whether all its boards, as the file has them, were told to
    run that very module.
    """
    known = {row["id"]: row for row in boards}
    asked = {name for group in state.groups.values() for name in group["boards"] or []} | set(state.labels)
    for name in sorted(asked - known.keys()):
        raise FleetError(f"fleet.yaml names the board {name}, which is not in the fleet. `fleet device add {name} --group GROUP` adds it.")
    found = [{"do": "create group", "group": name} for name in state.groups if name not in groups]
    for name, group in state.groups.items():
        found += _membership(name, group["boards"], boards)
    for name, labels in state.labels.items():
        found += _label_changes(name, labels, known[name]["labels"])
    found += [
        {"do": "push", "group": name, "module": group["module"], "rollout": group["rollout"]}
        for name, group in state.groups.items()
        if group["module"] and not unchanged(name, group)
    ]
    return found


def _membership(name, wanted, boards):
    if wanted is None:
        return []
    there = {row["id"] for row in boards if name in row["groups"]}
    joining = [{"do": "join", "group": name, "board": board} for board in sorted(set(wanted) - there)]
    return joining + [{"do": "leave", "group": name, "board": board} for board in sorted(there - set(wanted))]


def _label_changes(name, wanted, there):
    setting = [{"do": "label", "board": name, "label": label, "value": value} for label, value in wanted.items() if there.get(label) != value]
    return setting + [{"do": "label", "board": name, "label": label, "value": None} for label in there if label not in wanted]


def words(change):
    """A change as a line of text."""
    return _WORDS[change["do"]](change)


_WORDS = {
    "create group": lambda change: f"+ group {change['group']}",
    "join": lambda change: f"+ {change['board']} in {change['group']}",
    "leave": lambda change: f"- {change['board']} in {change['group']}",
    "label": lambda change: f"{'-' if change['value'] is None else '+'} {change['board']}: {change['label']}={change['value'] or ''}",
    "push": lambda change: f"~ {change['group']} runs {change['module']}",
}
