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


def test_only_buttons_that_there_are_become_commands():
    assert homeassistant.pressed("fleet/b1/restart/press") == ("b1", "restart")
    for topic in ("fleet/b1/stop/press", "fleet/b1/restart", "f/b1/restart/press", "fleet/a/b/restart/press"):
        assert homeassistant.pressed(topic) is None
