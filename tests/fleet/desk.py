"""A fleet on a desk: services on one database with a bus that leads nowhere, a clock turned by hand, and boards that say what they are told to."""

import math
import os
import queue
import time
from types import SimpleNamespace

from fleet.deploy import make_manifest, package
from fleet.service import Service
from fleet.signing import SigningKey
from fleet.vault import Vault
from mpwasm.wire import desired, mac, report, topics


class DeadBus:
    """A bus that keeps what is published and receives nothing."""

    def __init__(self):
        self.events = queue.Queue()
        self.sent = []

    def publish(self, topic, payload, qos=0, retain=False):
        """Keep it."""
        self.sent.append((topic, payload, qos, retain))

    def catch_up(self):
        """Nothing is retained."""

    def settle(self):
        """Nothing was shared."""


class Said:
    """One board's side: what it heard, what it runs."""

    def __init__(self, name, key):
        self.name, self.key = name, key
        self.boot_id, self.counter, self.boots = os.urandom(8), 0, 1
        self.seq, self.running, self.nonce = 0, None, bytes(8)

    def hear(self, payload):
        """A message on `desired`."""
        topic = topics.topic(self.name, "desired")
        pointer = desired.Pointer.parse(mac.open_mac(mac.derive(self.key, b"desired"), topic, payload))
        self.seq, self.nonce = max(self.seq, pointer.seq), pointer.nonce

    def report(self, state, reason=None):
        """The next message on `reported`."""
        self.counter += 1
        part = report.ComponentReport(state=state, reason=reason, manifest=self.running)
        numbers = {"seq": self.seq, "counter": self.counter, "boots": self.boots, "abi": 1, "floor": 0, "keys_version": 1}
        texts = {"port": "fake", "firmware": "0", "agent": "0", "boot_id": self.boot_id, "nonce": self.nonce}
        body = report.Report(components=[part], free_heap=100000, min_free_heap=90000, **numbers, **texts).encode()
        return mac.seal_mac(mac.derive(self.key, b"report"), topics.topic(self.name, "reported"), body)


class Desk:
    """Boards `names` of the group `greenhouse` of a `tests.fleet.site.Site` that is initialised, and `services` services."""

    def __init__(self, site, names, services=1):
        self.site, self.client, self.store = site, site.client(), site.store()
        self.time = SimpleNamespace(now=time.time())
        self.vault = Vault.open(site.home.key_file)
        for name in names:
            self.client.add_device(name, "greenhouse")
        self.boards = {name: Said(name, self.vault.unseal(name, self.store.device(name).sealed_key)) for name in names}
        self.services = [self.service() for _ in range(services)]

    def service(self):
        """Another service on the same database, connected."""
        made = Service(self.store, self.vault, DeadBus(), clock=lambda: self.time.now)
        made.orders.share_of_time = math.inf  # the clock is turned by hand, however long looking takes
        made.bus.events.put(("up",))
        return made

    def step(self, seconds=0.2, *services):
        """Let time pass, and the services work; boards hear what is published."""
        self.time.now += seconds
        for service in services or self.services:
            service.step()
            for topic, payload, _, _ in service.bus.sent:
                device, name = topics.parse(topic)
                if name == "desired" and payload and device in self.boards:
                    self.boards[device].hear(payload)

    def state(self, state, *names, service=0):
        """Boards say on `state` what they are."""
        for name in names or self.boards:
            self.services[service].bus.events.put(("message", topics.topic(name, "state"), state.encode(), False))
        self.step()

    def say(self, state, *names, reason=None, service=0):
        """Boards report a state; one that confirms runs what it was told to."""
        for name in names:
            board = self.boards[name]
            if state == "confirmed":
                order = self.store.desired(name)
                board.running = bytes.fromhex(order.module) if order.module else None
            self.services[service].bus.events.put(("message", topics.topic(name, "reported"), board.report(state, reason), False))
        self.step()

    def push(self, mark=b"1", **options):
        """Push a module that `mark` makes another one; what `Client.push` returns."""
        key = SigningKey.load(self.site.home.release_key)
        signed = package(*make_manifest(self.site.module(mark=mark), ["greenhouse"]), key)
        return self.client.push(signed, **{"group": "greenhouse", **options})

    def states(self, number):
        """{board: state} of a rollout."""
        return {target["device"]: target["state"] for target in self.client.rollout(number)["targets"]}

    def told(self):
        """{board: seq of its newest order} of the boards that have one."""
        return {name: board.seq for name, board in self.boards.items() if board.seq}
