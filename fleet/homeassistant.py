"""What Home Assistant is told over MQTT, by its discovery protocol: pure, given the fleet's rows.

Each board is a device with sensors for its readings (names that speak of a relay, switch or contact are on or off), whether it is connected,
what it runs and how it is, and buttons that send it commands. The pins are the module's: a relay becomes a switch only where its user says that
the module takes that name from its config too (`switches`). Switching sets it there to 1 or 0; what is shown stays what the board reports.
"""

import json
import re

PREFIX = "homeassistant"
BASE = "fleet"
AVAILABLE = f"{BASE}/bridge/state"
BUTTONS = {"restart": "restart", "identify": "identify"}
_BINARY = re.compile(r"relay|switch|contact|motion|door|window|pump|valve|lamp|light", re.IGNORECASE)
# Part of a reading's name -> (Home Assistant's device class, unit).
_KINDS = (
    ("temperature", ("temperature", "°C")),
    ("humidity", ("humidity", "%")),
    ("moisture", ("moisture", "%")),
    ("pressure", ("pressure", "hPa")),
    ("battery", ("voltage", "V")),
    ("voltage", ("voltage", "V")),
    ("current", ("current", "A")),
    ("power", ("power", "W")),
    ("illuminance", ("illuminance", "lx")),
)


def slug(name):
    """A reading's name as part of a topic and an id."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "value"


def state_topic(board, what):
    """Where the state of something of a board is published."""
    return f"{BASE}/{board}/{what}/state"


def press_topic(board, button):
    """Where Home Assistant publishes that a button was pressed."""
    return f"{BASE}/{board}/{button}/press"


def set_topic(board, name):
    """Where Home Assistant publishes ON or OFF for a switch."""
    return f"{BASE}/{board}/{slug(name)}/set"


def is_binary(name):
    """Whether a reading is shown as on or off."""
    return bool(_BINARY.search(name))


def reading_state(reading, switches=()):
    """(topic, payload) of a reading's value."""
    value = reading["value"]
    text = ("ON" if value else "OFF") if reading["name"] in switches or is_binary(reading["name"]) else f"{value:.10g}"
    return state_topic(reading["device"], slug(reading["name"])), text


def board_states(row):
    """[(topic, payload)] of a board's own entities."""
    runs = f"{row['module']} {row['version']}" if row["module"] else "nothing"
    facts = (("connection", "ON" if row["online"] else "OFF"), ("module", runs), ("health", row["health"]))
    return [(state_topic(row["id"], what), value) for what, value in facts]


def discovery_of_board(row):
    """[(topic, payload)], to be retained, that make a board and its own entities known."""
    found = [
        _entity(row["id"], "binary_sensor", "connection", {"name": "Connection", "device_class": "connectivity", "entity_category": "diagnostic"}),
        _entity(row["id"], "sensor", "module", {"name": "Module", "icon": "mdi:application-cog", "entity_category": "diagnostic"}),
        _entity(row["id"], "sensor", "health", {"name": "Health", "icon": "mdi:heart-pulse", "entity_category": "diagnostic"}),
    ]
    for name, button in BUTTONS.items():
        more = {"name": name.capitalize(), "command_topic": press_topic(row["id"], button), "entity_category": "config"}
        found.append(_entity(row["id"], "button", button, more))
    return found


def discovery_of_reading(board, name, switches=()):
    """[(topic, payload)], to be retained, that make a reading known, as a switch if it is one of `switches`."""
    kind, more = _shown(board, name, switches)
    others = [(_config_topic(board, other, slug(name)), "") for other in ("binary_sensor", "sensor", "switch") if other != kind]
    return [*others, _entity(board, kind, slug(name), {"name": name, **more})]


def _shown(board, name, switches):
    """(Home Assistant's component, what its configuration says besides)."""
    if name in switches:
        connection = {"topic": state_topic(board, "connection"), "payload_available": "ON", "payload_not_available": "OFF"}
        availability = {"availability_mode": "all", "availability": [{"topic": AVAILABLE}, connection]}
        return "switch", {"command_topic": set_topic(board, name), "optimistic": False, **availability}
    if is_binary(name):
        return "binary_sensor", {}
    kind, unit = next((found for word, found in _KINDS if word in name.lower()), (None, None))
    return "sensor", {"state_class": "measurement", **({"device_class": kind, "unit_of_measurement": unit} if kind else {})}


def _config_topic(board, component, what):
    return f"{PREFIX}/{component}/wasmfleet_{board}/{what}/config"


def _entity(board, component, what, more):
    config = {
        **({} if "availability" in more else {"availability_topic": AVAILABLE}),
        **more,
        "unique_id": f"wasmfleet_{board}_{what}",
        "object_id": f"{slug(board)}_{what}",
        "device": {"identifiers": [f"wasmfleet_{board}"], "name": board, "manufacturer": "WasmFleet", "model": "MicroPython board"},
    }
    if component != "button":
        config["state_topic"] = state_topic(board, what)
    return _config_topic(board, component, what), json.dumps(config, ensure_ascii=False, sort_keys=True)


def ordered(topic, payload, switches=()):
    """What Home Assistant asks for by a message: the (board, command, arguments) to send, or None if it is not for us."""
    parts = topic.split("/")
    if len(parts) != 4 or parts[0] != BASE:
        return None
    _, board, what, verb = parts
    if verb == "press" and what in BUTTONS.values():
        return board, what, {}
    name = next((name for name in switches if slug(name) == what), None)
    if verb == "set" and name is not None and payload in (b"ON", b"OFF"):
        return board, "config", {name: int(payload == b"ON")}
    return None
