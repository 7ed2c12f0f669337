"""Delivers webhooks: goes through the audit log behind each webhook's position, one event at a time, and tries again what was not taken."""

import http.client
import logging
import ssl
import threading
import time
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from fleet import webhooks
from fleet.errors import FleetError

log = logging.getLogger("fleet.postman")

LOOK_S = 1.0
TIMEOUT_S = 10.0
# Of several web servers, the one that holds the lease delivers; it is longer than a delivery takes.
LEASE_S = 60.0
PART = 200


class Postman:
    """Works on the store of a `fleet.client.LocalClient`, in a thread of its own once started."""

    def __init__(self, client, clock=time.time):
        self._client = client
        self._clock = clock
        self._stopped = threading.Event()

    def start(self):
        """Start the thread."""
        threading.Thread(target=self._run, name="postman", daemon=True).start()

    def stop(self):
        """End the thread after what it is doing."""
        self._stopped.set()

    def _run(self):
        while not self._stopped.wait(LOOK_S):
            try:
                self.round()
            except SQLAlchemyError:
                log.exception("the database failed; going on")

    def round(self):
        """Deliver what is due, one event for each webhook after the other until none is left or one is not taken."""
        for row in self._client.due_webhooks(self._clock()):
            if self._client.claim_webhook(row["name"], self._clock(), LEASE_S):
                try:
                    while not self._stopped.is_set() and self._next(row):
                        self._client.claim_webhook(row["name"], self._clock(), LEASE_S, again=True)
                finally:
                    self._client.release_webhook(row["name"])

    def _next(self, row):
        """Deliver the next event of a webhook; whether to go on. `row` is brought up to date."""
        entries = self._client.audit_log(row["position"], PART)
        found = next((entry for entry in entries if webhooks.wanted(entry["action"], row["events"])), None)
        if found is None:
            if entries:
                self._move(row, entries[-1]["id"])
            return len(entries) == PART
        answer = self._deliver(row, found)
        if answer is None:
            self._move(row, found["id"], status="delivered")
        elif found["created"] < self._clock() - webhooks.GIVE_UP_S:
            self._move(row, found["id"], status=f"gave up: {answer}")
        else:
            row["attempts"] += 1
            self._client.note_webhook(row["name"], attempts=row["attempts"], status=answer, due=self._clock() + webhooks.retry_s(row["attempts"]))
            return False
        return True

    def _move(self, row, position, **more):
        row.update(position=position, attempts=0)
        self._client.note_webhook(row["name"], position=position, attempts=0, due=0.0, **more)

    def _deliver(self, row, entry):
        """None if the event was taken, else why not, as a sentence."""
        try:
            rollout = self._client.rollout(int(entry["subject"]))
            rollout.pop("targets")
        except FleetError:
            rollout = None
        data, at = webhooks.body(entry, rollout), int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "wasmfleet",
            "X-Fleet-Event": webhooks.EVENTS[entry["action"]],
            "X-Fleet-Delivery": f"{row['name']}-{entry['id']}",
            "X-Fleet-Signature": webhooks.signature(self._client.webhook_secret(row["name"]), at, data),
        }
        try:
            status = post(row["url"], data, headers)
        except (OSError, http.client.HTTPException) as error:
            return f"cannot be reached: {getattr(error, 'strerror', None) or error or type(error).__name__}"
        return None if 200 <= status < 300 else f"answered {status}"


def post(url, data, headers):
    """POST `data` to `url`; the status of the answer. Redirections are not followed. OSError or HTTPException if there is none."""
    parts = urlsplit(url)
    secure = {"context": ssl.create_default_context()} if parts.scheme == "https" else {}
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S, **secure)
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), data, headers)
        return connection.getresponse().status
    finally:
        connection.close()
