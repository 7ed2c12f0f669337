"""The fleet's one event loop: takes what boards send, carries rollouts on, and keeps `desired` published."""

import logging
import os
import queue
import socket
import time

from sqlalchemy.exc import SQLAlchemyError

from fleet import bus as wires
from fleet import deploy, renewal, rollout
from fleet.freshness import Watch
from fleet.intake import Intake
from fleet.model import Service as ServiceRow
from mpwasm.errors import Refused
from mpwasm.wire import topics

log = logging.getLogger("fleet.service")

TICK_S = 0.1
BEAT_S = 1.0
BATCH = 500

SUBSCRIPTIONS = [(f"f/1/+/{name}", qos) for name, qos in (("reported", 1), ("state", 1), ("get", 0), ("log", 1), ("tele", 1), ("cmd/res", 1))]


class Service:
    """Runs on a store, a vault and a bus. It keeps nothing that it could not read again: killed and started anew, it goes on."""

    def __init__(self, store, vault, bus, broker="", clock=time.time):
        self.store = store
        self.intake = Intake(store, vault)
        self.bus = bus
        self.clock = clock
        self.connected = False
        self._row = ServiceRow(id=f"{socket.gethostname()}-{os.getpid()}", broker=broker, pid=os.getpid(), started=clock(), beat=clock())
        self._next_tick = self._next_beat = 0.0
        self._freshness = Watch(store)
        self._revision = self._keys_version = None
        self._published = {}

    def run(self, stopped, every_tick=None):
        """Work until the event `stopped` is set; `every_tick` is called some ten times a second."""
        self.bus.start()
        try:
            while not stopped.is_set():
                self.step(TICK_S)
                if every_tick:
                    every_tick()
        finally:
            self.bus.stop()
            self.store.end_service(self._row.id)

    def step(self, wait_s=0.0):
        """Handle what has arrived, waiting at most `wait_s` for the first event, then do what is due."""
        events = self._take(wait_s)
        try:
            if events:
                self._handle(events)
            now = self.clock()
            if now >= self._next_tick:
                self._next_tick = now + TICK_S
                self._tick(now)
        except SQLAlchemyError:
            log.exception("the database failed; going on")

    def _take(self, wait_s):
        events = []
        try:
            events.append(self.bus.events.get(timeout=wait_s) if wait_s else self.bus.events.get_nowait())
            while len(events) < BATCH:
                events.append(self.bus.events.get_nowait())
        except queue.Empty:
            return events
        return events

    def _handle(self, events):
        """Answer requests for blocks, which need no transaction; then store all the rest of the batch in one."""
        now = self.clock()
        rest = [event for event in events if not self._is_get(event)]
        for event in events:
            if self._is_get(event):
                for topic, payload in self.intake.handle(event[1], event[2], now):
                    self.bus.publish(topic, payload)
        if rest:
            with self.store.write():
                for event in rest:
                    self._store_event(event, now)

    @staticmethod
    def _is_get(event):
        return event[0] == wires.MESSAGE and event[1].endswith("/get")

    def _store_event(self, event, now):
        if event[0] == wires.MESSAGE:
            self.intake.handle(event[1], event[2], now)
        else:
            self._link(event)

    def _link(self, event):
        self.connected = event[0] == wires.UP
        if self.connected:
            log.info("connected to the broker")
            self.publish_all()
        else:
            log.warning("lost the broker: %s", event[1])

    def publish_all(self):
        """Publish what every board should run: brokers lose retained messages when they restart."""
        self._published = {}
        for deployment in self.store.all_desired():
            self._publish(deployment)

    def _publish(self, deployment):
        try:
            key = self.intake.device_key(deployment.device)
        except Refused:
            return  # removed just now
        topic, payload = deploy.pointer_message(deployment, key)
        self._published[deployment.device] = key
        self.bus.publish(topic, payload, qos=1, retain=True)

    def _tick(self, now):
        self._notice_devices()
        for row in self.store.running_rollouts():
            self._advance(row, now)
        for topic, payload in self.intake.dispatch.due(now):
            self.bus.publish(topic, payload, qos=1)
        if now >= self._next_beat:
            self._next_beat = now + BEAT_S
            self._renew(now)
            self._freshness.look(now)
            self._row.beat = now
            self.store.beat(ServiceRow(**self._row.model_dump()))

    def _renew(self, now):
        """Tell the boards about a new list of keys."""
        version = self.store.key_list().version
        if version == self._keys_version:
            return
        self._keys_version = version
        for order in renewal.renew(self.store, now):
            self._publish(order)

    def _notice_devices(self):
        """Boards were added or removed: forget their keys, and withdraw the orders of those that are gone."""
        revision = self.store.credentials_revision()
        if revision == self._revision:
            return
        self._revision = revision
        self.intake.forget_keys()
        there = {device.id for device in self.store.devices()}
        for device, key in list(self._published.items()):
            if device not in there or self.intake.device_key(device) != key:
                self.bus.publish(topics.topic(device, "desired"), b"", qos=1, retain=True)
                del self._published[device]

    def _advance(self, row, now):
        step = rollout.next_step(self._plan(row), now)
        if isinstance(step, rollout.Send):
            self._send(row, step.devices, now)
        elif isinstance(step, rollout.Expire):
            for device in step.devices:
                self.store.update_target(row.id, device, state=rollout.TIMEOUT, reason="timeout")
        elif isinstance(step, rollout.Finish):
            self.store.end_rollout(row.id, now)
            self.store.audit("service", "rollout done", str(row.id))

    def _plan(self, row):
        online = {device.id: device.state in rollout.ONLINE_STATES for device in self.store.devices()}
        members = [rollout.Member(t.device, t.wave, t.state, online.get(t.device, False), t.sent) for t in self.store.targets(row.id)]
        return rollout.Plan(tuple(members), row.timeout_s)

    def _send(self, row, devices, now):
        """Store the orders of one wave in one transaction, then publish them."""
        module = self.store.module(row.module)
        orders = []
        with self.store.write():
            for device in devices:
                if self.store.find_device(device) is None:
                    continue
                order = deploy.assign(self.store, device, module, row, now)
                self.store.update_target(row.id, device, state=rollout.SENT, seq=order.seq, sent=now)
                self.store.supersede(device, row.id)
                orders.append(order)
        for order in orders:
            self._publish(order)
