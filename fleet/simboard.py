"""A simulated board without its module: the update machine, the MQTT session and the block transfer of real boards, with time and bytes given.

It checks what boards check: the HMAC of each order, SHA-256 of all that it fetches, Ed25519 signatures (one cached verdict per signed thing,
as ten thousand boards are asked the same). Its module is not run: `fate` says what becomes of it.
"""

import os
from collections import deque
from functools import lru_cache
from hashlib import sha256

from fleet import quick
from fleet.signing import verifies
from mpwasm.wire import blocks, cbor, mac, topics
from mpwasm.wire.policy import Board
from mpwasm.wire.saved import Saved
from mpwasm.wire.session import Session
from mpwasm.wire.update import Update

KEEPALIVE_S = 60
GIVE_UP_MS = 120_000
HEARTBEAT_MS = 60_000  # as the agent's: a board that is silent for longer counts as withheld
FLASH_BYTES = 262_144
HEAP_BYTES = 200_000
_ABI = 1

verdict = lru_cache(4096)(verifies)


class SimBoard:
    """Built from the bytes of an identity file; `fate` is None, or the reason for which every new module fails ("trap", …).

    The caller connects: `opened`, `received`, `closed`, `tick`, then writes what `outgoing` gives; `due` is when to `tick`. Times in milliseconds.
    """

    def __init__(self, identity, fate=None, loss=lambda: False):
        fields = cbor.decode(identity)
        self.id, self.address = fields[1], (fields[5], fields[6])
        self.fate, self.loss = fate, loss
        self.saved = Saved().encode()
        self.boots = 0
        self.ready_at = None
        self.connected = False
        self._key = fields[2]
        self._report_key = mac.derive(self._key, b"report")
        self._board = Board(self.id, fields[4], fields[3], mac.derive(self._key, b"desired"), fields[7])
        self._prefix = f"f/1/{self.id}/"
        will = (self._prefix + "state", b"lost", 1, True)
        self.session = Session(self.id, self.id, mac.mqtt_password(self._key), will, KEEPALIVE_S)
        self.session.subscribe([(self._prefix + "desired", 1), (self._prefix + "blk", 0), (self._prefix + "cmd", 1)])
        self.boot(0)

    def boot(self, now):
        """Start anew from the journal: power has come."""
        self.boots += 1
        self._boot_id, self._counter = os.urandom(8), 0
        self._events, self._dirty = deque(), False
        self._download = self._what = self._data = None
        self._since = self._reported_at = now
        self.machine = Update(self._board, Saved.parse(self.saved))
        self._feed(("boot", None, False, False), now)

    @property
    def state(self):
        """The state of the update machine."""
        return self.machine.state

    @property
    def due(self):
        """When to call `tick` next, or None."""
        times = [self.session.wake(), self.machine.wake]
        if self._download and self.connected:
            times.append(self._download.wake())
        if self.connected:
            times.append(0 if self._dirty else self._reported_at + HEARTBEAT_MS)
        return min((time for time in times if time is not None), default=None)

    def opened(self, now):
        """A socket is connected."""
        self.session.open(now)

    def closed(self, now):
        """The socket is gone."""
        self.connected = False
        self.session.close()
        self._feed(("offline",), now)

    def received(self, data, now):
        """What was read. Refused if the broker talks nonsense: close the socket."""
        for event in self.session.feed(data, now):
            self._heard(event, now)
        self._work(now)

    def tick(self, now):
        """Do what is due; False if the connection is lost."""
        alive = not self.session.tick(now)
        if now - self._reported_at >= HEARTBEAT_MS:
            self._dirty = True
        if self.machine.wake is not None and now >= self.machine.wake:
            self._events.append(("tick",))
        self._work(now)
        return alive

    def outgoing(self):
        """All bytes to write now."""
        parts = []
        while part := self.session.outgoing():
            parts.append(part)
        return b"".join(parts)

    def sleep(self, now):
        """Say goodbye: the last bytes to write before the socket is closed (MQTT 3.1.1, 3.14: DISCONNECT, so that there is no last will)."""
        self._publish("state", b"sleeping", now, 1, True)
        return self.outgoing() + b"\xe0\x00"

    def _publish(self, name, payload, now, qos=0, retain=False):
        return self.session.publish(self._prefix + name, payload, now, qos, retain) is not None

    def _heard(self, event, now):
        self.connected = event[0] not in ("refused", "lost")
        if event[0] == "message":
            device, name = topics.parse(event[1])
            if name == "desired" and event[2]:
                self._events.append(("desired", event[1], event[2]))
            elif name == "blk" and device == self.id and not self.loss():
                self._block(event[2], now)
        elif event[0] == "subscribed":
            self._publish("state", b"ready", now, 1, True)
            self.ready_at = now
            self._events.append(("online",))

    def _work(self, now):
        """Feed the machine what has happened, ask for blocks, report: until there is nothing more to do at `now`."""
        while self._events:
            self._feed(self._events.popleft(), now)
        self._ask(now)
        if self._dirty and self.connected:
            self._dirty = not self._report(now)

    def _ask(self, now):
        if not self._download or not self.connected:
            return
        if now - self._since > GIVE_UP_MS:
            what, self._download = self._what, None
            self._feed(("unstored",) if what == "payload" else ("unfetched", self._digest), now)
            return
        wanted = self._download.request(now)
        if wanted:
            self._publish("get", wanted, now)

    def _block(self, payload, now):
        if not self._download:
            return
        got = self._download.accept(payload, now)
        if not got:
            return
        self._since = now
        self._data[got[0] : got[0] + len(got[1])] = got[1]
        if self._download.done:
            what, self._download = self._what, None
            self._events.append(("stored",) if what == "payload" else ("fetched", self._digest, bytes(self._data)))
        elif self._what == "payload":
            self._events.append(("progress", self._download.progress))

    def _report(self, now):
        """Publish `reported`; False if there is no room for it now."""
        machine = self.machine
        body = {
            1: machine.saved.seq,
            2: [part.to_map() for part in machine.components()],
            3: self._boot_id,
            4: self._counter + 1,
            5: self.boots,
            6: HEAP_BYTES,
            7: -60,
            8: _ABI,
            9: machine.nonce,
            10: machine.saved.floor,
            11: machine.saved.keys_version,
            12: "simulated",
            13: "0",
            14: "0",
            15: HEAP_BYTES,
            16: int(now),
            17: "",
        }
        sealed = quick.seal_mac(self._report_key, self._prefix + "reported", quick.encode(body))
        if not self._publish("reported", sealed, now, 1, True):
            return False
        self._counter += 1
        self._reported_at = now
        return True

    # -- the machine's actions

    def _feed(self, event, now):
        for action in self.machine.feed(event, now):
            handler = getattr(self, "_do_" + action[0], None)
            if handler:
                handler(now, *action[1:])

    def _do_save(self, _now, data):
        self.saved = data

    def _do_report(self, _now):
        self._dirty = True

    def _do_refused(self, now, _reason, _detail):
        self._do_report(now)

    def _do_cancel(self, _now):
        self._download = None

    def _do_fetch(self, now, what, digest, size):
        self._what, self._digest, self._since = what, digest, now
        self._data = bytearray(size)
        self._download = blocks.Download(digest, size)

    def _do_download(self, now, digest, size):
        self._do_fetch(now, "payload", digest, size)

    def _do_verify(self, _now, key, signature, message):
        self._events.append(("verified", verdict(bytes(key), bytes(signature), bytes(message))))

    def _do_measure(self, _now, _kind):
        self._events.append(("measured", FLASH_BYTES, HEAP_BYTES))

    def _do_hash(self, _now):
        self._events.append(("hashed", sha256(self._data).digest()))
        self._data = None

    def _do_discard(self, _now):
        self._data = None

    def _do_stage(self, _now, _part, _blob, _manifest, _config):
        self._events.append(("staged",))

    def _do_start(self, _now, slot, _key, trial):
        self._events.append(("failed", slot, self.fate, "simulated") if self.fate and trial else ("started",))
