"""Tokens that may call the HTTP API: what a client can ask of them."""

import time

from fleet import tokens
from fleet.calls.common import fields
from fleet.model import Token

TOKEN_FIELDS = ("name", "role", "created", "created_by", "expires", "used")


class Access:
    """Part of `fleet.client.LocalClient`."""

    def tokens(self):
        """[{"name", "role", "created", "created_by", "expires", "used"}] of the HTTP API's tokens; the secrets are not kept."""
        return [fields(row, TOKEN_FIELDS) for row in self._store.tokens()]

    def create_token(self, name, role, days=None):
        """Make a token that is void after `days` (None: never): like a row of `tokens`, with the "secret" that is shown this once."""
        tokens.check(name, role)
        secret, now = tokens.new_secret(), time.time()
        expires = None if days is None else now + days * 86400
        row = Token(name=name, digest=tokens.digest(secret), role=role, created_by=self.actor, created=now, expires=expires)
        made = {**fields(row, TOKEN_FIELDS), "secret": secret}
        with self._store.write():
            self._store.add_token(row)
            self._store.audit(self.actor, "token create", name, role)
        return made

    def revoke_token(self, name):
        """Make a token void at once."""
        with self._store.write():
            self._store.remove_token(name)
            self._store.audit(self.actor, "token revoke", name)

    def holder(self, secret):
        """{"name", "role", …} of a valid token, or None."""
        row = self._store.token_of(tokens.digest(secret))
        return fields(row, TOKEN_FIELDS) if row else None
