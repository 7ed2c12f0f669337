"""Tokens of the HTTP API: the SQL of it."""

import time

from sqlmodel import select

from fleet.errors import Missing, Taken
from fleet.model import Token

USED_EVERY_S = 60.0


class Tokens:
    """Part of `fleet.store.Store`."""

    def tokens(self):
        """All tokens by name."""
        return self.rows(select(Token).order_by(Token.name))

    def add_token(self, token):
        """Store a `Token`; Taken if its name is."""
        with self.write() as session:
            if session.get(Token, token.name) is not None:
                raise Taken(f"There is a token {token.name} already. Revoke it first, or choose another name.")
            session.add(token)

    def remove_token(self, name):
        """Forget the token `name`: it is void at once. Missing if there is none."""
        with self.write() as session:
            token = session.get(Token, name)
            if token is None:
                raise Missing(f"There is no token {name}. `fleet token list` shows those there are.")
            session.delete(token)

    def token_of(self, digest):
        """The valid token of this digest, or None; that it was used is noted once a minute."""
        now = time.time()
        token = self.row(Token, Token.digest == digest)
        if token is None or (token.expires is not None and token.expires <= now):
            return None
        if token.used is None or token.used < now - USED_EVERY_S:
            with self.write() as session:
                token.used = now
                session.merge(token)
        return token
