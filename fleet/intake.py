"""Judges what boards send: only what is authentic, fresh and well-formed reaches the store; the rest is counted in the audit log."""

from collections import OrderedDict
from hashlib import sha256

from fleet import rollout
from fleet.dispatch import Dispatch
from fleet.errors import FleetError
from fleet.model import Component, LogLine, Reading, Report
from mpwasm.errors import Refused
from mpwasm.wire import blocks, cbor, mac, report, topics

ACTOR = "service"
STATES = ("init", "ready", "sleeping", "lost")
CACHED_BLOBS = 64

_I64 = 1 << 63
_MAX_SCALE = 18
_MAX_TEXT = 1024


def _is_int(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _require(condition, what):
    if not condition:
        raise Refused("cbor", what)


class Intake:
    """Handles messages of boards: `handle` stores what may be stored and returns the answers to publish."""

    def __init__(self, store, vault):
        self._store = store
        self._vault = vault
        self._keys = {}
        self._blobs = OrderedDict()
        self.dispatch = Dispatch(store, self.device_key)
        self._last_batch = {}
        self._handlers = {
            "reported": self._reported,
            "state": self._state,
            "log": self._log,
            "tele": self._tele,
            "get": self._get,
            "cmd/res": self._answer,
        }

    def handle(self, topic, payload, now):
        """Take one message; returns [(topic, payload)] to publish at QoS 0. Whatever is refused goes to the audit log."""
        try:
            device, name = topics.parse(topic)
            handler = self._handlers.get(name)
            return (handler(device, topic, payload, now) or []) if handler else []
        except Refused as refusal:
            self._refuse(topic, refusal)
        except FleetError as error:
            self._store.audit(ACTOR, "refused", topic[:64], error.sentence)
        return []

    def _refuse(self, topic, refusal):
        detail = refusal.reason if refusal.detail is None or refusal.reason == "topic" else f"{refusal.reason}: {refusal.detail}"
        self._store.audit(ACTOR, "refused", printable(topic[:64]), printable(detail))

    def device_key(self, device):
        """The key K of `device` (32 bytes); Refused ("wrong-device") if there is no such board."""
        if device not in self._keys:
            row = self._store.find_device(device)
            if row is None:
                raise Refused("wrong-device", device)
            self._keys[device] = self._vault.unseal(device, row.sealed_key)
        return self._keys[device]

    def forget_keys(self):
        """Boards were added or removed: read their keys again."""
        self._keys.clear()

    def _known(self, device):
        self.device_key(device)

    def _reported(self, device, topic, payload, now):
        key = mac.derive(self.device_key(device), b"report")
        read = report.Report.parse(mac.open_mac(key, topic, payload))
        if self._fresh(device, read):
            self._store.put_report(*report_rows(device, read, now))
            self._follow(device, read)

    def _fresh(self, device, read):
        """Whether the report is newer than the stored one; False for the same again; Refused ("stale-seq") for a replay."""
        last = self._store.report(device)
        if last is None:
            return True
        boot_id = read.boot_id.hex()
        if boot_id == last.boot_id:
            if read.counter < last.counter:
                raise Refused("stale-seq", "report")
            return read.counter > last.counter
        if read.boots <= last.boots:
            raise Refused("stale-seq", "report of an earlier boot")
        return True

    def _follow(self, device, read):
        """Move the board's rollout on by what it reports."""
        target = self._store.latest_target(device)
        if target is None or target.seq is None or read.seq < target.seq:
            return
        if read.seq > target.seq:
            if target.state not in rollout.FINAL:
                self._store.update_target(target.rollout, device, state=rollout.SUPERSEDED)
            return
        module = self._store.rollout(target.rollout).module
        for part in read.components:
            if part.slot == 0:
                self._advance(target, part, module)

    def _advance(self, target, part, module):
        if target.state in rollout.FINAL and target.state != rollout.TIMEOUT:
            return
        state = rollout.outcome(part.state, part.reason)
        if state == rollout.CONFIRMED and (part.manifest is None or part.manifest.hex() != module):
            return
        self._store.update_target(
            target.rollout, target.device, state=state, reason=part.reason, detail=part.detail or None, progress=part.progress
        )

    def _answer(self, device, topic, payload, now):
        self.dispatch.answered(device, topic, payload, now)

    def _state(self, device, _topic, payload, now):
        self._known(device)
        state = payload.decode("ascii", "replace")
        if state not in STATES:
            raise Refused("cbor", "state")
        self._store.set_presence(device, state, now)

    def _log(self, device, _topic, payload, now):
        rows = self._batch(device, "log", payload)
        if rows:
            self._store.add_lines([log_line(device, row, now) for row in rows])

    def _tele(self, device, _topic, payload, now):
        rows = self._batch(device, "tele", payload)
        if rows:
            self._store.add_readings([reading(device, row, now) for row in rows])

    def _batch(self, device, name, payload):
        """The rows in a payload of log lines or readings; [] for the same payload again (a repeat at QoS 1)."""
        self._known(device)
        rows = cbor.decode(payload)
        _require(isinstance(rows, list) and all(isinstance(row, list) for row in rows), name)
        digest = sha256(payload).digest()
        if self._last_batch.get((device, name)) == digest:
            return []
        self._last_batch[device, name] = digest
        return rows

    def _get(self, device, _topic, payload, _now):
        self._known(device)
        request = blocks.parse_get(payload)
        blob = self._blob(request[0].hex())
        if blob is None:
            self._store.audit(ACTOR, "no such blob", device, request[0].hex())
            return []
        answer = topics.topic(device, "blk")
        return [(answer, part) for part in blocks.serve(blob, request)]

    def _blob(self, digest):
        """The bytes of a blob, from a small cache: a push to many boards reads each blob once."""
        if digest in self._blobs:
            self._blobs.move_to_end(digest)
            return self._blobs[digest]
        blob = self._store.blob(digest)
        if blob is not None:
            self._blobs[digest] = blob
            if len(self._blobs) > CACHED_BLOBS:
                self._blobs.popitem(last=False)
        return blob


def printable(text):
    """`text` with control characters replaced: what a board sends must not steer a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def report_rows(device, read, now):
    """(Report, [Component]) rows of a `mpwasm.wire.report.Report`."""
    row = Report(
        device=device,
        boot_id=read.boot_id.hex(),
        nonce=read.nonce.hex(),
        key_list=read.keys_version,
        received=now,
        **{name: getattr(read, name) for name in ("seq", "counter", "boots", "free_heap", "min_free_heap", "rssi", "abi", "floor")},
        **{name: getattr(read, name) for name in ("port", "firmware", "agent", "uptime_ms", "executor")},
    )
    return row, [_component(device, part) for part in read.components]


def _component(device, part):
    return Component(
        device=device,
        slot=part.slot,
        state=part.state,
        reason=part.reason,
        digest=part.manifest.hex() if part.manifest else None,
        name=part.name or None,
        version=part.version or None,
        progress=part.progress,
        detail=printable(part.detail) or None,
    )


def log_line(device, row, now):
    """The `LogLine` of [counter, uptime_ms, level, text]; Refused ("cbor")."""
    _require(len(row) == 4 and all(_is_int(value, 0, _I64 - 1) for value in row[:3]), "log")
    _require(isinstance(row[3], str) and len(row[3]) <= _MAX_TEXT, "log text")
    return LogLine(device=device, counter=row[0], uptime_ms=row[1], level=row[2], text=printable(row[3]), received=now)


def reading(device, row, now):
    """The `Reading` of [counter, uptime_ms, name, value_int, scale]; Refused ("cbor")."""
    _require(len(row) == 5 and all(_is_int(value, 0, _I64 - 1) for value in row[:2]), "tele")
    _require(isinstance(row[2], str) and 1 <= len(row[2]) <= 64, "tele name")
    _require(_is_int(row[3], -_I64, _I64 - 1) and _is_int(row[4], -_MAX_SCALE, _MAX_SCALE), "tele value")
    return Reading(device=device, counter=row[0], uptime_ms=row[1], name=printable(row[2]), value_int=row[3], scale=row[4], received=now)
