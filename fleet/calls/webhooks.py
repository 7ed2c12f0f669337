"""Webhooks: what a client can ask of them, and what the postman does."""

import secrets
import time

from fleet import tokens, webhooks
from fleet.calls.common import fields
from fleet.model import Webhook

WEBHOOK_FIELDS = ("name", "url", "events", "status", "attempts", "created", "created_by")
SECRET_BYTES = 32


class Webhooks:
    """Part of `fleet.client.LocalClient`."""

    def webhooks(self):
        """[{"name", "url", "events", "status", "attempts", "created", "created_by"}]; the secrets stay here."""
        return [fields(row, WEBHOOK_FIELDS) for row in self._store.webhooks()]

    def add_webhook(self, name, url, events=None):
        """Tell `url` of `events` (None: all) from now on: like a row of `webhooks`, with the "secret" (hex) that signs, shown this once."""
        tokens.check_name(name, "webhook")
        webhooks.check(url, events or [])
        secret = secrets.token_bytes(SECRET_BYTES)
        sealed = self._vault().seal(f"webhook:{name}", secret)
        row = Webhook(name=name, url=url, events=list(events or []), sealed=sealed, created=time.time(), created_by=self.actor)
        made = {**fields(row, WEBHOOK_FIELDS), "secret": secret.hex()}
        with self._store.write():
            self._store.add_webhook(row)
            self._store.audit(self.actor, "webhook add", name, url)
        return made

    def remove_webhook(self, name):
        """Tell that address no more."""
        with self._store.write():
            self._store.remove_webhook(name)
            self._store.audit(self.actor, "webhook remove", name)

    def webhook_secret(self, name):
        """The bytes that sign what is sent to a webhook."""
        return self._vault().unseal(f"webhook:{name}", self._store.webhook(name).sealed)

    def due_webhooks(self, now):
        """[{"name", "url", "events", "position", "attempts"}] of those that may have something to be told at `now`."""
        return [fields(row, ("name", "url", "events", "position", "attempts")) for row in self._store.due_webhooks(now)]

    def claim_webhook(self, name, now, lease_s, again=False):
        """Become the only one that delivers to a webhook for `lease_s` seconds; whether that worked. `again` renews the lease that one has."""
        return self._store.claim_webhook(name, now, now + lease_s, again)

    def release_webhook(self, name):
        """Give the lease back."""
        self._store.change_webhook(name, leased=0.0)

    def note_webhook(self, name, **changes):
        """Note how far a webhook is and how the last delivery went."""
        self._store.change_webhook(name, **changes)
