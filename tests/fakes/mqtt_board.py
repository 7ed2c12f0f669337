"""A board in Python over a real broker: honest cryptography, dishonest behaviour on request, no wasm.

It does what the agent does on the wire (presence, desired, get/blk, reported, log, tele) and can misbehave: lose blocks, hold a
download, claim a trap, stay silent.
"""

import os
import random
import ssl
import threading
import time
from hashlib import sha256

import paho.mqtt.client as mqtt

from mpwasm.errors import Refused
from mpwasm.wire import blocks, cbor, command, desired, ed25519, envelope, keys, mac, manifest, report, topics

TICK_S = 0.01
SMALL = 1024  # manifests, key lists and documents are smaller


class FakeBoard:
    """Built from the bytes of an identity file; `fate` is what becomes of a module that verifies: "confirmed", "trap" or "silent"."""

    def __init__(self, identity, address=None, fate="confirmed", loss=0.0, block=1024, count=16, boots=1):
        fields = cbor.decode(identity)
        self.id, self.key, self.root, self.group = fields[1], fields[2], fields[3], fields[4]
        self.address = address or (fields[5], fields[6])
        self.authority = fields[10]
        self.capabilities = fields[7]
        self.fate, self.loss, self.block, self.count = fate, loss, block, count
        self.seq, self.running, self.payload = 0, None, None
        self.boot_id, self.counter, self.boots = os.urandom(8), 0, boots
        self.history = []
        self.commands, self.obeys = [], None
        self.gets = 0
        self.hold_at = None
        self._nonce = bytes(8)
        self._keys_version = 0
        self._work = None
        self._download = None
        self._data = bytearray()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._random = random.Random(1)
        self._log_counter = 0
        self._connect()

    def _connect(self):
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=self.id)
        self._client.username_pw_set(self.id, mac.mqtt_password(self.key))
        self._client.will_set(self._topic("state"), b"lost", 1, True)
        self._client.reconnect_delay_set(0.1, 0.2)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        if self.authority:
            self._client.tls_set_context(ssl.create_default_context(cadata=self.authority))
        self._client.connect_async(*self.address, keepalive=10)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _topic(self, name):
        return topics.topic(self.id, name)

    def publish(self, name, payload, qos=1, retain=False):
        """Publish raw bytes on one of this board's topics."""
        return self._client.publish(self._topic(name), payload, qos, retain)

    def stop(self, clean=True):
        """Go away: with a goodbye, or as if the power failed."""
        self._ended.set()
        self._thread.join()
        if clean and self._client.is_connected():
            self.publish("state", b"sleeping", 1, True).wait_for_publish(2)
        if clean:
            self._client.disconnect()
        else:
            self._client.socket().close()
        self._client.loop_stop()

    def log(self, text, level=1):
        """Send one log line."""
        self._log_counter += 1
        self.publish("log", cbor.encode([[self._log_counter, 1000 * self._log_counter, level, text]]))

    def measure(self, name, value, scale):
        """Send one reading."""
        self._log_counter += 1
        self.publish("tele", cbor.encode([[self._log_counter, 1000 * self._log_counter, name, value, scale]]))

    def report_bytes(self, state, reason=None, detail="", progress=0):
        """The next `reported` message, sealed."""
        self.counter += 1
        part = report.ComponentReport(state=state, reason=reason, manifest=self.running, name="", version="", progress=progress, detail=detail)
        body = report.Report(
            seq=self.seq,
            components=[part],
            boot_id=self.boot_id,
            counter=self.counter,
            boots=self.boots,
            free_heap=100000,
            abi=1,
            nonce=self._nonce,
            floor=0,
            keys_version=self._keys_version,
            port="fake",
            firmware="0",
            agent="0",
            min_free_heap=90000,
            uptime_ms=5000,
        )
        return mac.seal_mac(mac.derive(self.key, b"report"), self._topic("reported"), body.encode())

    def say(self, state, reason=None, detail="", progress=0):
        """Report a state of slot 0."""
        self.history.append((self.seq, state, reason))
        self.publish("reported", self.report_bytes(state, reason, detail, progress), 1, True)

    def _on_connect(self, client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            return
        client.subscribe([(self._topic(name), 1) for name in ("desired", "blk", "cmd")])
        self.publish("state", b"ready", 1, True)
        if not self.seq:
            self.say("idle")

    def _on_message(self, _client, _userdata, message):
        with self._lock:
            try:
                name = topics.parse(message.topic)[1]
                if name == "desired" and message.topic == self._topic("desired") and message.payload:
                    self._desired(message.topic, message.payload)
                elif name == "cmd":
                    self._command(message.topic, message.payload)
                elif name == "blk" and self._download and self._random.random() >= self.loss:
                    self._block(message.payload)
            except Refused as refusal:
                self.history.append((self.seq, "ignored", refusal.reason))

    def _command(self, topic, payload):
        """Obey as the agent does: `obeys` says with which reason (None: done) or not at all (False)."""
        wanted = command.Command.parse(mac.open_mac(mac.derive(self.key, b"cmd"), topic, payload))
        self.commands.append((wanted.boot_id == self.boot_id, wanted.counter, wanted.until_ms, wanted.name, wanted.args))
        if wanted.boot_id == self.boot_id and self.obeys is not False:
            answer = command.Result(wanted.boot_id, wanted.counter, self.obeys, "as told").encode()
            self.publish("cmd/res", mac.seal_mac(mac.derive(self.key, b"cmd"), self._topic("cmd/res"), answer))

    def _desired(self, topic, payload):
        pointer = desired.Pointer.parse(mac.open_mac(mac.derive(self.key, b"desired"), topic, payload))
        self._nonce = pointer.nonce
        if pointer.seq <= self.seq:
            return
        self.seq = pointer.seq
        self._work = self._update(pointer)
        self._fetch(*next(self._work))

    def _fetch(self, digest, size):
        self._data = bytearray(size)
        self._download = blocks.Download(digest, size, self.block, None, self.count)

    def _block(self, payload):
        if self.hold_at is not None and self._download.size > SMALL and self._download.progress >= self.hold_at:
            return
        got = self._download.accept(payload, _now())
        if got:
            self._data[got[0] : got[0] + len(got[1])] = got[1]
        if self._download.done:
            self._advance(bytes(self._data))

    def _advance(self, data):
        self._download = None
        try:
            self._fetch(*self._work.send(data))
        except StopIteration:
            self._work = None
        except Refused as refusal:
            self._work = None
            self.say("rejected", refusal.reason, refusal.detail or "")

    def _update(self, pointer):
        """The update, as a generator: yields (digest, size) of what it needs next, is sent the bytes."""
        self.say("check")
        document = desired.Document.parse((yield from self._whole(pointer.document, pointer.size)))
        part = document.components[0]
        listed = envelope.open_envelope((yield from self._whole(document.keys, document.keys_size)))
        self.say("manifest")
        opened = envelope.open_envelope((yield from self._whole(part.manifest, part.manifest_size)))
        self.say("verify")
        wanted = self._verify(listed, opened)
        self.say("downloading")
        payload = yield from self._whole(wanted.digest, wanted.size)
        self.say("verify-file", None, "", 100)
        self._start(part.manifest, payload)

    def _whole(self, digest, size):
        data = yield digest, size
        if sha256(data).digest() != digest:
            raise Refused("digest")
        return data

    def _verify(self, listed, opened):
        for step in keys.proofs(self.root, listed):
            if not ed25519.verify(*step):
                raise Refused("bad-root")
            self.root = step[0]
        key_list = keys.KeyList.parse(listed.body)
        self._keys_version = key_list.version
        key = key_list.find(opened.kid, "wasm", self.group)
        if not ed25519.verify(key.public, opened.signature, opened.tbs(envelope.AAD_MANIFEST)):
            raise Refused("bad-signature")
        wanted = manifest.Manifest.parse(opened.body)
        key.allow(wanted)
        if not keys.covers(wanted.groups, self.group):
            raise Refused("wrong-device")
        outside = keys.uncovered(self.capabilities, wanted.capabilities)
        if outside:
            raise Refused("capability", outside)
        return wanted

    def _start(self, digest, payload):
        if self.fate == "silent":
            return
        if self.fate == "trap":
            self.say("rolled-back", "trap", "unreachable")
            return
        self.running, self.payload = digest, payload
        self.say("confirmed", None, "", 100)

    def _loop(self):
        while not self._ended.wait(TICK_S):
            with self._lock:
                if self._download and self._client.is_connected():
                    wanted = self._download.request(_now())
                    if wanted:
                        self.gets += 1
                        self.publish("get", wanted, 0)


def _now():
    return time.monotonic_ns() // 1_000_000
