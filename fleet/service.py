"""The fleet's one event loop: takes what boards send, carries rollouts on, and keeps `desired` published."""

import logging
import math
import os
import queue
import socket
import time
from collections import deque

from sqlalchemy.exc import SQLAlchemyError

from fleet import bus as wires
from fleet import deploy, renewal
from fleet.freshness import Watch
from fleet.intake import Intake
from fleet.model import Service as ServiceRow
from fleet.orders import Orders
from mpwasm.errors import Refused
from mpwasm.wire import topics

log = logging.getLogger("fleet.service")

TICK_S = 0.1
PACE_S = 0.01
BEAT_S = 1.0
BATCH = 500
BACKLOG = 100  # messages waiting: with more, no order goes out
ORDERS_AT_ONCE = 50
REFRESH_S = 3600.0
REFRESH_CHECK_S = 30.0
REFRESH_AT_ONCE = 200

SUBSCRIPTIONS = [(f"f/1/+/{name}", qos) for name, qos in (("reported", 1), ("state", 1), ("get", 0), ("log", 1), ("tele", 1), ("cmd/res", 1))]
RETAINED = [(topic_filter, qos) for topic_filter, qos in SUBSCRIPTIONS if topic_filter.endswith(("/reported", "/state"))]
CATCH_UP_S = 10.0
PRUNE_EVERY_S = 3600.0
PEER_DEAD_S = 5.0
MAYBE_LOST_S = 60.0  # what a service published so long before its death may never have left it


class Service:
    """Runs on a store, a vault and a bus. It keeps nothing that it could not read again: killed and started anew, it goes on.

    Several may run side by side on one database: then their buses share the subscriptions
    (`fleet.bus.share`); what one that died had taken, another one reads again from what the broker retains.
    """

    def __init__(self, store, vault, bus, broker="", clock=time.time, keep_s=(None, None)):
        self.store = store
        self.intake = Intake(store, vault, clock)
        self.orders = Orders(store, self._give)
        self.bus = bus
        self.clock = clock
        self.connected = False
        self._heard_since = math.inf
        name = f"{socket.gethostname()}-{os.getpid()}"
        self._row = ServiceRow(id=name, broker=broker, pid=os.getpid(), started=clock(), beat=clock())
        self._next_tick = self._next_beat = self._next_refresh = 0.0
        self._settle_at = None
        self._keep_s = keep_s
        self._next_prune = 0.0
        self._freshness = Watch(store)
        self._revision = self._keys_version = self._membership = None
        self._published = {}
        self._outbox = deque()

    def run(self, stopped, every_tick=None):
        """Work until the event `stopped` is set; `every_tick` is called some ten times a second."""
        self.bus.start()
        try:
            while not stopped.is_set():
                self.step(PACE_S if self._outbox else TICK_S)
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
            self._send_some()
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
        """Answer requests for blocks, each once and without a transaction; then store all the rest of the batch in one."""
        messages = [(event[1], event[2]) for event in events if event[0] == wires.MESSAGE]
        gets = dict.fromkeys(message for message in messages if message[0].endswith("/get"))
        for topic, payload in gets:
            for answer in self.intake.answer(topic, payload):
                self.bus.publish(*answer)
        rest = [message for message in messages if message not in gets]
        if rest:
            self.intake.take(rest, self.clock())
        for event in events:
            if event[0] != wires.MESSAGE:
                self._link(event)

    def _link(self, event):
        self.connected = event[0] == wires.UP
        self._heard_since = self.clock() if self.connected else math.inf
        if self.connected:
            log.info("connected to the broker")
            self._settle_at = self.clock() + CATCH_UP_S
            self.publish_all()
        else:
            log.warning("lost the broker: %s", event[1])

    def publish_all(self):
        """Publish what every board should run: brokers lose retained messages when they restart."""
        self._published = {}
        self._publish(self.store.all_desired())

    def _give(self, orders):
        """Orders to publish: as many at a time as the boards' answers can be stored, so that each is answered soon."""
        self._outbox.extend(orders)

    def _send_some(self):
        if self._outbox and self.bus.events.qsize() < BACKLOG:
            self._publish([self._outbox.popleft() for _ in range(min(ORDERS_AT_ONCE, len(self._outbox)))])

    def _publish(self, deployments):
        """Publish stored orders, and note that they are."""
        self.intake.learn_keys([row.device for row in deployments])
        done, now = [], self.clock()
        for row in deployments:
            try:
                key = self.intake.device_key(row.device)
            except Refused:
                continue  # removed just now
            self._published[row.device] = key
            self.bus.publish(*deploy.pointer_message(row, key), qos=1, retain=True)
            if row.published is None:
                done.append(row)
        if done:
            self.store.mark_published(done, now)

    def _tick(self, now):
        self._notice_devices()
        if not self._outbox:
            self.orders.advance(now, self._heard_since)
        for topic, payload in self.intake.dispatch.due(now):
            self.bus.publish(topic, payload, qos=1)
        if now >= self._next_beat:
            self._next_beat = now + BEAT_S
            self._beat(now)

    def _beat(self, now):
        """What is done once a second."""
        self._row.beat = now
        self.store.beat(ServiceRow(**self._row.model_dump()))
        self._mind_peers(now)
        self._prune(now)
        self._renew(now)
        self._freshness.look(now)
        if not self._outbox:
            self.orders.rescue(now)
        membership = self.store.setting("membership", "0")
        if membership != self._membership:
            self._membership = membership
            self.orders.join()
        if self.connected and now >= self._next_refresh:
            self._next_refresh = now + REFRESH_CHECK_S
            self._publish(self.store.refresh_nonces(now, now - REFRESH_S, REFRESH_AT_ONCE))

    def _prune(self, now):
        """Once an hour: log lines and readings that were kept long enough (`keep_s`, seconds each, None for ever) go."""
        if now >= self._next_prune:
            self._next_prune = now + PRUNE_EVERY_S
            gone = self.store.prune(*[None if kept is None else now - kept for kept in self._keep_s])
            if any(gone.values()):
                log.info("deleted %d old log lines and %d readings", gone["logs"], gone["readings"])

    def _mind_peers(self, now):
        """Read again what a service that died had taken and not stored, and publish again what it may not have got to the broker."""
        if self.store.bury_services(now - PEER_DEAD_S):
            log.warning("another service has died; reading again what boards last said")
            self._give(self.store.all_desired(now - MAYBE_LOST_S))
            self.bus.catch_up()
            self._settle_at = now + CATCH_UP_S
        if self._settle_at is not None and now >= self._settle_at:
            self._settle_at = None
            self.bus.settle()

    def _renew(self, now):
        """Tell the boards about a new list of keys."""
        version = self.store.key_list().version
        if version != self._keys_version:
            self._keys_version = version
            self._publish(renewal.renew(self.store, now))

    def _notice_devices(self):
        """Boards were added or removed: forget their keys, and withdraw the orders of those that are gone."""
        revision = self.store.credentials_revision()
        if revision == self._revision:
            return
        self._revision = revision
        self.intake.forget_keys()
        self.intake.learn_keys(list(self._published))
        for device, key in list(self._published.items()):
            if not self._has_key(device, key):
                self.bus.publish(topics.topic(device, "desired"), b"", qos=1, retain=True)
                del self._published[device]

    def _has_key(self, device, key):
        try:
            return self.intake.device_key(device) == key
        except Refused:
            return False
