"""Carries commands to boards and their answers back: which are due, what is sent, what an answer ends."""

from fleet import rollout
from mpwasm.errors import Refused
from mpwasm.wire import mac, topics
from mpwasm.wire.command import Command, Result

QUEUED = "queued"
SENT = "sent"
DONE = "done"
REFUSED = "refused"
TIMEOUT = "timeout"
FINAL = frozenset([DONE, REFUSED, TIMEOUT])

RESEND_S = 5.0


class Dispatch:
    """Works on a store; `key(device)` gives a board's key K, or raises `Refused`."""

    def __init__(self, store, key):
        self._store = store
        self._key = key

    def due(self, now):
        """[(topic, payload)] to publish now, QoS 1, never retained; commands whose time is over are ended."""
        if not self._store.has_open_commands():
            return []
        with self._store.write():
            made = [self._step(row, now) for row in self._store.open_commands()]
        return [message for message in made if message]

    def _step(self, row, now):
        if now >= row.expires:
            self._store.end_command(row.id, now, TIMEOUT, "timeout")
            return None
        device, report = self._store.find_device(row.device), self._store.report(row.device)
        if device is None or report is None or device.state not in rollout.ONLINE_STATES:
            return None
        if row.sent is not None and row.boot_id != report.boot_id and row.name == "restart":
            self._store.end_command(row.id, now, DONE, None, "it has started again")
            return None
        if row.sent is not None and row.boot_id == report.boot_id and now - row.sent < RESEND_S:
            return None
        return self._message(row, report, now)

    def _message(self, row, report, now):
        """The command for the boot last reported; sent again in the same boot it keeps its counter, so that it is not done twice."""
        counter = row.counter if row.boot_id == report.boot_id else int(now * 1000)
        counter = max(counter, self._store.last_counter(row.device, row.id) + 1)
        try:
            key = mac.derive(self._key(row.device), b"cmd")
        except Refused:
            return None
        topic = topics.topic(row.device, "cmd")
        uptime_ms = report.uptime_ms + int(1000 * (now - report.received))
        until_ms = max(0, uptime_ms + int(1000 * (row.expires - now)))
        self._store.update_command(row.id, state=SENT, sent=now, boot_id=report.boot_id, counter=counter)
        return topic, mac.seal_mac(key, topic, Command(bytes.fromhex(report.boot_id), counter, until_ms, row.name, row.args).encode())

    def answered(self, device, topic, payload, now):
        """A message on `cmd/res`: ends the command that it answers; `Refused` ("mac", "cbor", "stale-seq")."""
        result = Result.parse(mac.open_mac(mac.derive(self._key(device), b"cmd"), topic, payload))
        row = self._store.sent_command(device, result.boot_id.hex(), result.counter)
        if row is None:
            raise Refused("stale-seq", "answer")
        self._store.end_command(row.id, now, REFUSED if result.reason else DONE, result.reason, result.detail or None)
