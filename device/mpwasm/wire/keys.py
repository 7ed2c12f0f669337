"""Trust: the root-signed list of release keys, and what a key may sign.

Scopes of a key: ``kind:wasm``, ``kind:agent``, ``group:<name>``, ``cap:<capability>``; a ``*`` at the end stands for any rest.
A manifest is within a key's scope if its kind, every one of its groups and every one of its capabilities is.
"""

from mpwasm.errors import Refused
from mpwasm.wire.envelope import kid_of
from mpwasm.wire.record import Record

_U32 = 0xFFFFFFFF
_U53 = (1 << 53) - 1


def covers(granted, asked):
    """Whether one of the strings `granted` equals `asked`, or ends in ``*`` and starts it.

    An `asked` that ends in ``*`` itself is covered only by a wildcard at least as wide.
    """
    for grant in granted:
        if grant == asked or (grant.endswith("*") and asked.startswith(grant[:-1])):
            return True
    return False


def uncovered(granted, wanted, prefix=""):
    """The first of `wanted` that, after `prefix`, `granted` does not cover; None if all are."""
    for asked in wanted:
        if not covers(granted, prefix + asked):
            return asked
    return None


class Key(Record):
    """A release key: `kid` 8 bytes, `public` 32 bytes, `scopes` list of str, `name` str."""

    REASON = "bad-root"
    ROWS = (
        (1, "kid", "b", 8, 8),
        (2, "public", "b", 32, 32),
        (3, "scopes", "l", 0, 32),
        (4, "name", "t", 0, 64),
    )

    name = ""

    def allow(self, manifest):
        """Return None if `manifest` is within this key's scope, else raise `Refused` ("key-scope", what is outside)."""
        if not covers(self.scopes, "kind:" + manifest.kind):
            raise Refused("key-scope", "kind:" + manifest.kind)
        outside = uncovered(self.scopes, manifest.groups, "group:")
        if outside is not None:
            raise Refused("key-scope", "group:" + outside)
        outside = uncovered(self.scopes, manifest.capabilities, "cap:")
        if outside is not None:
            raise Refused("key-scope", "cap:" + outside)


class KeyList(Record):
    """Body of a key-list blob, signed by the root key with `envelope.AAD_KEYS`.

    `version` int >= 1, rising; `keys` list of `Key`; `revoked` list of kids; `created` Unix seconds;
    `floors` {component name: lowest security counter still accepted}, which may lower a board's own floor.
    """

    FORMAT = 1
    REASON = "bad-root"
    ROWS = (
        (2, "version", "u", 1, _U32),
        (3, "keys", Key, 0, 16),
        (4, "revoked", "k", 0, 64),
        (5, "created", "u", 0, _U53),
        (6, "floors", "f", 0, 32),
    )

    revoked = ()
    floors = {}

    def find(self, kid, kind, group):
        """The `Key` with id `kid` that may sign a `kind` for a board of `group`.

        `Refused`: "revoked-key", "unknown-key" (also for a kid that isn't its public key's), "key-scope".
        """
        if kid in self.revoked:
            raise Refused("revoked-key")
        for key in self.keys:
            if key.kid == kid and kid_of(key.public) == kid:
                break
        else:
            raise Refused("unknown-key")
        for scope in ("kind:" + kind, "group:" + group):
            if not covers(key.scopes, scope):
                raise Refused("key-scope", scope)
        return key
