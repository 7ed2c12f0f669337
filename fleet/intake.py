"""Judges what boards send: only what is authentic, fresh and well-formed reaches the store; the rest is counted in the audit log.

A batch of messages is stored in one transaction, with a fixed number of statements however many boards spoke.
"""

import time
from collections import OrderedDict
from hashlib import sha256

from fleet import documents, progress, quick, rollout
from fleet.dispatch import Dispatch
from fleet.errors import FleetError
from fleet.model import LogLine, Reading
from mpwasm.errors import Refused
from mpwasm.wire import blocks, cbor, mac, report, topics

ACTOR = "service"
STATES = ("init", "ready", "sleeping", "lost")
CACHED_BLOBS = 64
CACHED_KEYS = 100_000

_I64 = 1 << 63
_MAX_SCALE = 18
_MAX_TEXT = 1024


def _is_int(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _require(condition, what):
    if not condition:
        raise Refused("cbor", what)


class Batch:
    """What a batch of messages comes to, before it is stored."""

    def __init__(self):
        self.states = {}
        self.reports = []
        self.lines = []
        self.readings = []
        self.answers = []
        self.refusals = []


class Intake:
    """Handles messages of boards: `take` stores what may be stored, `answer` gives the blocks that a `get` asks for."""

    def __init__(self, store, vault, clock=time.time):
        self._clock = clock
        self._store = store
        self._vault = vault
        self._keys = {}
        self._blobs = OrderedDict()
        self._last_batch = {}
        self._slots = {}
        self.dispatch = Dispatch(store, self.device_key)
        self._handlers = {"reported": self._reported, "state": self._state, "log": self._log, "tele": self._tele, "cmd/res": self._answer}

    def take(self, messages, now):
        """Store what [(topic, payload)] say, in one transaction. Whatever is refused goes to the audit log."""
        batch = Batch()
        self._learn_keys(messages)
        for topic, payload in messages:
            try:
                device, name = topics.parse(topic)
                handler = self._handlers.get(name)
                if handler:
                    handler(batch, device, topic, payload, now)
            except Refused as refusal:
                batch.refusals.append((topic, refusal))
            except FleetError as error:
                self._store.audit(ACTOR, "refused", topic[:64], error.sentence)
        with self._store.write():
            self._store_batch(batch, now)

    def answer(self, topic, payload):
        """[(topic, payload)] to publish at QoS 0 for a message on `get`."""
        try:
            return self._get(topics.parse(topic)[0], payload)
        except Refused as refusal:
            self._refuse(topic, refusal)
        return []

    def _store_batch(self, batch, now):
        if batch.states:
            self._store_states(batch.states, now)
        if batch.reports:
            self._store_reports(batch, now)
        for device, topic, payload in batch.answers:
            self._end_command(batch, device, topic, payload, now)
        self._store.insert(LogLine, batch.lines)
        self._store.insert(Reading, batch.readings)
        for topic, refusal in batch.refusals:
            self._refuse(topic, refusal)

    def _end_command(self, batch, device, topic, payload, now):
        try:
            self.dispatch.answered(device, topic, payload, now)
        except Refused as refusal:
            batch.refusals.append((topic, refusal))

    def _store_states(self, states, now):
        self._store.set_presences(states, now)
        here = [device for device, state in states.items() if state in rollout.ONLINE_STATES]
        for devices, mark in (
            (here, lambda names: self._store.boards_here(names, now)),
            ([device for device, state in states.items() if state == "sleeping"], self._store.boards_asleep),
            ([device for device, state in states.items() if state == "lost"], self._store.boards_lost),
        ):
            if devices:
                mark(devices)

    def _store_reports(self, batch, now):
        """Keep each board's newest report, and move its rollout on by every fresh one."""
        devices = sorted({device for device, _, _ in batch.reports})
        marks, targets = self._store.report_marks(devices), self._store.latest_targets(devices)
        running = {row.id for row in self._store.active_rollouts()}
        newest, changed = {}, {}
        for device, read, topic in batch.reports:
            if device not in marks:
                continue  # removed just now
            try:
                if not _fresh(marks[device], read):
                    continue
            except Refused as refusal:
                batch.refusals.append((topic, refusal))
                continue
            online = marks[device][3]
            marks[device] = (read.boot_id.hex(), read.boots, read.counter, online)
            newest[device] = read
            target = targets.get(device)
            changes = progress.advance(target, read, online, target.rollout in running, now, self._slot(target.module)) if target else {}
            if changes:
                vars(target).update(changes)
                changed.setdefault(device, {}).update(changes)
        self._put(newest, now)
        stored = self._clock()
        for row in changed.values():
            if row["acked"] == now:
                row["acked"] = stored
        self._store.update_targets([{"rollout": targets[name].rollout, "device": name, **row} for name, row in changed.items()])

    def _put(self, newest, now):
        if not newest:
            return
        fresh = self._store.nonce_times(list(newest), {device: read.nonce for device, read in newest.items()})
        reports, components = [], []
        for device, read in newest.items():
            reports.append(report_row(device, read, now, fresh.get(device)))
            components += [component_row(device, part) for part in read.components]
        self._store.put_reports(reports, components, now)

    def _refuse(self, topic, refusal):
        detail = refusal.reason if refusal.detail is None or refusal.reason == "topic" else f"{refusal.reason}: {refusal.detail}"
        self._store.audit(ACTOR, "refused", printable(topic[:64]), printable(detail))

    def _learn_keys(self, messages):
        """Read the keys of all boards of a batch that are not known yet, in one go."""
        named = {topic.split("/")[2] for topic, _ in messages if topic.count("/") >= 3} - self._keys.keys()
        if named:
            self.learn_keys(named)

    def learn_keys(self, devices):
        """Read the keys of these boards; those that are not there, or can't be decrypted, are left out."""
        for device, sealed in self._store.sealed_keys([device for device in devices if device not in self._keys]).items():
            self._keep_key(device, self._vault.unseal(device, sealed))

    def _keep_key(self, device, secret):
        if len(self._keys) >= CACHED_KEYS:
            self._keys.clear()
        self._keys[device] = secret, mac.derive(secret, b"report")

    def device_key(self, device):
        """The key K of `device` (32 bytes); Refused ("wrong-device") if there is no such board."""
        return self._entry(device)[0]

    def _entry(self, device):
        if device not in self._keys:
            self.learn_keys([device])
        if device not in self._keys:
            raise Refused("wrong-device", device)
        return self._keys[device]

    def forget_keys(self):
        """Boards were added or removed: read their keys again."""
        self._keys.clear()

    def _reported(self, batch, device, topic, payload, _now):
        read = report.Report.from_map(quick.decode(quick.open_mac(self._entry(device)[1], topic, payload)))
        batch.reports.append((device, read, topic))

    def _answer(self, batch, device, topic, payload, _now):
        batch.answers.append((device, topic, payload))

    def _slot(self, digest):
        """The slot that the module `digest` goes into; 0 where nothing shall run."""
        if digest not in self._slots:
            module = self._store.module(digest) if digest else None
            self._slots[digest] = documents.manifest_of(self._store, module).slot if module else 0
        return self._slots[digest]

    def _state(self, batch, device, _topic, payload, _now):
        self._entry(device)
        state = payload.decode("ascii", "replace")
        if state not in STATES:
            raise Refused("cbor", "state")
        batch.states[device] = state

    def _log(self, batch, device, _topic, payload, now):
        batch.lines += [log_line(device, row, now) for row in self._rows(device, "log", payload)]

    def _tele(self, batch, device, _topic, payload, now):
        batch.readings += [reading(device, row, now) for row in self._rows(device, "tele", payload)]

    def _rows(self, device, name, payload):
        """The rows in a payload of log lines or readings; [] for the same payload again (a repeat at QoS 1)."""
        self._entry(device)
        rows = cbor.decode(payload)
        _require(isinstance(rows, list) and all(isinstance(row, list) for row in rows), name)
        digest = sha256(payload).digest()
        if self._last_batch.get((device, name)) == digest:
            return []
        self._last_batch[device, name] = digest
        return rows

    def _get(self, device, payload):
        self._entry(device)
        request = blocks.parse_get(payload)
        parts = self._parts(request)
        if parts is None:
            self._store.audit(ACTOR, "no such blob", device, request[0].hex())
            return []
        answer = topics.topic(device, "blk")
        return [(answer, part) for part in parts]

    def _parts(self, request):
        """The `blk` payloads that answer a request, the same for all boards: made once. None if there is no such blob."""
        if request not in self._blobs:
            blob = self._store.blob(request[0].hex())
            if blob is None:
                return None
            self._blobs[request] = list(blocks.serve(blob, request))
            if len(self._blobs) > CACHED_BLOBS:
                self._blobs.popitem(last=False)
        self._blobs.move_to_end(request)
        return self._blobs[request]


def _fresh(mark, read):
    """Whether a report is newer than what `mark` (boot id, boots, counter, …) says of the last; False for the same again; Refused for a replay."""
    boot_id, boots, counter, _ = mark
    if boot_id is None:
        return True
    if read.boot_id.hex() == boot_id:
        if read.counter < counter:
            raise Refused("stale-seq", "report")
        return read.counter > counter
    if read.boots <= boots:
        raise Refused("stale-seq", "report of an earlier boot")
    return True


def printable(text):
    """`text` with control characters replaced: what a board sends must not steer a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def report_row(device, read, now, fresh):
    """The columns of a `Report` from a `mpwasm.wire.report.Report`; `fresh` is when the nonce that it echoes was made, if it is the newest."""
    return {
        "device": device,
        "boot_id": read.boot_id.hex(),
        "nonce": read.nonce.hex(),
        "key_list": read.keys_version,
        "received": now,
        "fresh": fresh,
        **{name: getattr(read, name) for name in ("seq", "counter", "boots", "free_heap", "min_free_heap", "rssi", "abi", "floor")},
        **{name: getattr(read, name) for name in ("port", "firmware", "agent", "uptime_ms", "executor")},
    }


def component_row(device, part):
    """The columns of a `Component` from a `mpwasm.wire.report.ComponentReport`."""
    return {
        "device": device,
        "slot": part.slot,
        "state": part.state,
        "reason": part.reason,
        "digest": part.manifest.hex() if part.manifest else None,
        "name": part.name or None,
        "version": part.version or None,
        "progress": part.progress,
        "detail": printable(part.detail) or None,
    }


def log_line(device, row, now):
    """The columns of a `LogLine` of [counter, uptime_ms, level, text]; Refused ("cbor")."""
    _require(len(row) == 4 and all(_is_int(value, 0, _I64 - 1) for value in row[:3]), "log")
    _require(isinstance(row[3], str) and len(row[3]) <= _MAX_TEXT, "log text")
    return {"device": device, "counter": row[0], "uptime_ms": row[1], "level": row[2], "text": printable(row[3]), "received": now}


def reading(device, row, now):
    """The columns of a `Reading` of [counter, uptime_ms, name, value_int, scale]; Refused ("cbor")."""
    _require(len(row) == 5 and all(_is_int(value, 0, _I64 - 1) for value in row[:2]), "tele")
    _require(isinstance(row[2], str) and 1 <= len(row[2]) <= 64, "tele name")
    _require(_is_int(row[3], -_I64, _I64 - 1) and _is_int(row[4], -_MAX_SCALE, _MAX_SCALE), "tele value")
    named = {"device": device, "counter": row[0], "uptime_ms": row[1], "name": printable(row[2])}
    return {**named, "value_int": row[3], "scale": row[4], "received": now}
