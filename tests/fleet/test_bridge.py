"""Home Assistant: what it is told over a broker of its own, and what its buttons do."""

import json
import subprocess
import time

import paho.mqtt.client as mqtt
import pytest

from fleet import homeassistant
from fleet.bridge import SUBSCRIPTIONS, Bridge
from fleet.broker import find_mosquitto, free_port
from fleet.bus import Bus
from fleet.commands.bridge import address
from fleet.errors import FleetError
from fleet.model import Reading
from tests.fleet.site import wait


class Listener:
    """What Home Assistant would see: the last payload of every topic."""

    def __init__(self, port):
        self.seen = {}
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _client, _data, message: self.seen.__setitem__(message.topic, message.payload.decode())
        self.client.on_connect = lambda client, *_: client.subscribe([("homeassistant/#", 1), ("fleet/#", 1)])
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def stop(self):
        """Go away."""
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path):
    """The port of a mosquitto that lets everybody in."""
    if not find_mosquitto():
        pytest.skip("no mosquitto here")
    port = free_port()
    config = tmp_path / "open.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([find_mosquitto(), "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield port
    process.terminate()
    process.wait()


def test_home_assistant_sees_boards_and_readings_and_presses_buttons(quiet, broker):
    quiet.ok("device", "add", "b1", "--group", "g")
    rows = [("air temperature", 2150, -2), ("relay", 1, 0)]
    readings = [Reading(device="b1", name=n, counter=1, uptime_ms=1, value_int=v, scale=s, received=time.time()) for n, v, s in rows]
    quiet.store().add_readings(readings)
    bridge = Bridge(quiet.client(), Bus("127.0.0.1", broker, "bridge", "", SUBSCRIPTIONS, None, (homeassistant.AVAILABLE, "offline")))
    bridge._bus.start()
    listener = Listener(broker)
    try:
        wait(lambda: bridge.step(0.05) or "fleet/b1/relay/state" in listener.seen, what="for the relay")
        seen = listener.seen
        config = json.loads(seen["homeassistant/sensor/wasmfleet_b1/air_temperature/config"])
        assert (config["device_class"], config["unit_of_measurement"]) == ("temperature", "°C")
        assert seen[config["state_topic"]] == "21.5" and seen[config["availability_topic"]] == "online"
        assert "homeassistant/binary_sensor/wasmfleet_b1/relay/config" in seen and seen["fleet/b1/relay/state"] == "ON"
        assert seen["fleet/b1/connection/state"] == "OFF" and seen["fleet/b1/health/state"] == "new"
        listener.client.publish("fleet/b1/identify/press", "PRESS", 1)
        listener.client.publish("fleet/b1/gc/press", "PRESS", 1)
        wait(lambda: bridge.step(0.05) or "command identify" in {row["action"] for row in quiet.client().audit_log()}, what="for the command")
        listener.seen.clear()
        listener.client.publish("homeassistant/status", "online", 1)
        wait(lambda: bridge.step(0.05) or len(listener.seen) > 10, what="for everything again")
        quiet.ok("device", "remove", "b1", "--yes")
        gone = "homeassistant/sensor/wasmfleet_b1/air_temperature/config"
        wait(lambda: bridge.step(0.05) or listener.seen.get(gone) == "", what="for the board to be forgotten")
        bridge._bus._client.socket().close()
        wait(lambda: listener.seen.get(homeassistant.AVAILABLE) == "offline", what="for the will")
    finally:
        bridge._bus.stop()
        listener.stop()


def test_addresses():
    assert address("mqtt://ha@10.0.0.2") == ("10.0.0.2", 1883, "ha", False)
    assert address("mqtts://h:99") == ("h", 99, "fleet-bridge", True)
    for wrong in ("http://h", "mqtt://", "mqtt://h:x", "h:1883", "mqtt://h/path"):
        with pytest.raises(FleetError, match="not the address"):
            address(wrong)


def test_only_buttons_and_switches_that_there_are_become_commands():
    assert homeassistant.ordered("fleet/b1/restart/press", b"PRESS") == ("b1", "restart", {})
    assert homeassistant.ordered("fleet/b1/grow_lamp/set", b"ON", ("grow lamp",)) == ("b1", "config", {"grow lamp": 1})
    for topic in ("fleet/b1/stop/press", "fleet/b1/restart", "f/b1/restart/press", "fleet/a/b/restart/press", "fleet/b1/relay/set"):
        assert homeassistant.ordered(topic, b"ON", ("pump",)) is None
    assert homeassistant.ordered("fleet/b1/pump/set", b"2", ("pump",)) is None


def test_a_relay_that_the_module_heeds_is_a_switch(quiet, broker):
    quiet.ok("device", "add", "b1", "--group", "g")
    row = {"device": "b1", "counter": 1, "uptime_ms": 1, "scale": 0, "received": time.time()}
    quiet.store().add_readings([Reading(name="relay", value_int=0, **row), Reading(name="door", value_int=1, **row)])
    bus = Bus("127.0.0.1", broker, "bridge", "", SUBSCRIPTIONS, None, (homeassistant.AVAILABLE, "offline"))
    bridge, listener = Bridge(quiet.client(), bus, ["relay"]), Listener(broker)
    bus.start()
    try:
        wait(lambda: bridge.step(0.05) or "fleet/b1/relay/state" in listener.seen, what="for the relay")
        told = json.loads(listener.seen["homeassistant/switch/wasmfleet_b1/relay/config"])
        assert told["command_topic"] == "fleet/b1/relay/set" and told["state_topic"] == "fleet/b1/relay/state"
        assert [row["topic"] for row in told["availability"]] == [homeassistant.AVAILABLE, "fleet/b1/connection/state"]
        wait(lambda: "homeassistant/binary_sensor/wasmfleet_b1/door/config" in listener.seen, what="for the door")
        assert listener.seen["homeassistant/binary_sensor/wasmfleet_b1/relay/config"] == ""  # from before it was a switch
        for payload in ("ON", "perhaps"):
            listener.client.publish("fleet/b1/relay/set", payload, 1)
        listener.client.publish("fleet/b1/door/set", "ON", 1)
        listener.client.publish("fleet/b1/identify/press", "PRESS", 1)
        wait(lambda: bridge.step(0.05) or "command identify" in {row["action"] for row in quiet.client().audit_log()}, what="for the commands")
        sent = [(row["action"], row["detail"]) for row in quiet.client().audit_log() if row["action"].startswith("command")]
        assert sent == [("command config", "relay=1"), ("command identify", "")]
    finally:
        bus.stop()
        listener.stop()
