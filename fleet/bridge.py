"""Carries the fleet to Home Assistant's broker and its buttons back: a loop over a client and a bus, which may be of different machines."""

import logging
import queue
import time

from fleet import bus as wires
from fleet import homeassistant
from fleet.errors import FleetError

log = logging.getLogger("fleet.bridge")

POLL_S = 1.0
SUBSCRIPTIONS = [(f"{homeassistant.BASE}/+/+/press", 1), (f"{homeassistant.BASE}/+/+/set", 1), (f"{homeassistant.PREFIX}/status", 1)]


class Bridge:
    """Publishes what has changed since the last look; everything again after the broker, or Home Assistant, has restarted.

    `switches` are the names of readings that may be switched (`fleet.homeassistant`).
    """

    def __init__(self, client, bus, switches=()):
        self._client = client
        self._bus = bus
        self._switches = tuple(switches)
        self._said = {}
        self._reading = 0

    def run(self, stopped):
        """Work until the event `stopped` is set."""
        self._bus.start()
        try:
            while not stopped.is_set():
                self.step(POLL_S)
        finally:
            self._bus.publish(homeassistant.AVAILABLE, "offline", 1, True)
            self._bus.stop()

    def step(self, wait_s):
        """Handle what has arrived within `wait_s`, then tell what is new."""
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0 or not self._bus.events.empty():
            try:
                self._handle(self._bus.events.get(timeout=max(left, 0.001)))
            except queue.Empty:
                break
        try:
            self._tell()
        except FleetError as error:
            log.warning("%s", error.sentence)

    def _handle(self, event):
        if event[0] == wires.UP or (event[0] == wires.MESSAGE and event[1] == f"{homeassistant.PREFIX}/status" and event[2] == b"online"):
            log.info("telling everything")
            self._said, self._reading = {}, 0
            self._bus.publish(homeassistant.AVAILABLE, "online", 1, True)
        elif event[0] == wires.DOWN:
            log.warning("lost the broker: %s", event[1])
        elif event[0] == wires.MESSAGE and not event[3]:
            self._send(homeassistant.ordered(event[1], event[2], self._switches))

    def _send(self, found):
        if found is None:
            return
        try:
            self._client.send_command(*found)
        except FleetError as error:
            log.warning("%s: %s", found[0], error.sentence)

    def _tell(self):
        boards = {row["id"]: row for row in self._client.devices()}
        for row in boards.values():
            for topic, payload in [*homeassistant.discovery_of_board(row), *homeassistant.board_states(row)]:
                self._say(topic, payload)
        for reading in self._client.latest_readings():
            if reading["device"] in boards:
                for topic, payload in homeassistant.discovery_of_reading(reading["device"], reading["name"], self._switches):
                    self._say(topic, payload)
                self._say(*homeassistant.reading_state(reading, self._switches))
        self._forget(boards)

    def _say(self, topic, payload):
        """Publish, retained, unless it was said before."""
        if self._said.get(topic) != payload:
            self._said[topic] = payload
            self._bus.publish(topic, payload, 1, True)

    def _forget(self, boards):
        """Withdraw the entities of boards that were removed."""
        for topic in [topic for topic, payload in self._said.items() if payload and _board_of(topic) not in boards]:
            self._say(topic, "")


def _board_of(topic):
    """The board that a topic which we published speaks of."""
    parts = topic.split("/")
    return parts[1] if parts[0] == homeassistant.BASE else parts[2].removeprefix("wasmfleet_")
