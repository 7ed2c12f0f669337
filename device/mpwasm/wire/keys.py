"""Trust: the root-signed list of release keys, what a key may sign, and how one root key follows another.

Scopes of a key: ``kind:wasm``, ``kind:agent``, ``group:<name>``, ``cap:<capability>``; a ``*`` at the end of a group or capability stands for
any rest. A manifest is within a key's scope if its kind, every one of its groups and every one of its capabilities is.
"""

from mpwasm.errors import Refused
from mpwasm.wire.envelope import AAD_KEYS, AAD_ROOT, kid_of, to_be_signed
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
        if "kind:" + manifest.kind not in self.scopes:
            raise Refused("key-scope", "kind:" + manifest.kind)
        outside = uncovered(self.scopes, manifest.groups, "group:")
        if outside is not None:
            raise Refused("key-scope", "group:" + outside)
        outside = uncovered(self.scopes, manifest.capabilities, "cap:")
        if outside is not None:
            raise Refused("key-scope", "cap:" + outside)


class Link(Record):
    """One step from a root key, of id `old`, to the next one, `public`: `signature` is the old one's, over `link_message`.

    The new root signs for itself by signing the list that holds the link.
    """

    REASON = "bad-root"
    ROWS = (
        (1, "old", "b", 8, 8),
        (2, "public", "b", 32, 32),
        (3, "signature", "b", 64, 64),
    )


def link_message(public):
    """The bytes that the old root signs to hand over to the root `public`."""
    return to_be_signed(public, AAD_ROOT)


class KeyList(Record):
    """Body of a key-list blob, signed by the root key with `envelope.AAD_KEYS`.

    `version` int >= 1, rising; `keys` list of `Key`; `revoked` list of kids, of which `stopped` are those whose running modules stop (those
    of the others are left); `created` Unix seconds; `floors` {component name: lowest security counter still accepted}, which may lower
    a board's own floor; `links` from earlier root keys to the one that signs, oldest first.
    """

    FORMAT = 1
    REASON = "bad-root"
    ROWS = (
        (2, "version", "u", 1, _U32),
        (3, "keys", Key, 0, 16),
        (4, "revoked", "k", 0, 64),
        (5, "created", "u", 0, _U53),
        (6, "floors", "f", 0, 32),
        (7, "stopped", "k", 0, 64),
        (8, "links", Link, 0, 8),
    )

    revoked = ()
    floors = {}
    stopped = ()
    links = ()

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
        if "kind:" + kind not in key.scopes:
            raise Refused("key-scope", "kind:" + kind)
        if not covers(key.scopes, "group:" + group):
            raise Refused("key-scope", "group:" + group)
        return key

    def adopt(self, saved, digest, root):
        """Enter this verified list (its blob's `digest`, signed by `root`) in the journal `saved`, to be saved before it is used.

        The verdict on what runs is given again: returns the slots of the modules that have to stop, which the journal no longer names.
        An agent stays: there must be one, and only another one can take its place.
        """
        saved.keys_version = self.version
        saved.keys = digest
        saved.root = root
        saved.floor = max(saved.floor, self.created)
        saved.counters.update(self.floors)
        gone = [part for part in saved.running if part.kind == "wasm" and part.signer in self.stopped]
        saved.running = [part for part in saved.running if part not in gone]
        return [part.slot for part in gone]


def proofs(root, opened):
    """What must verify, in order, for a board whose root key is `root` to believe the key list in the envelope `opened`.

    [(public key, signature, message)]: a link from each root to the next, then the list itself, whose key is the root from then on.
    `Refused` ("bad-root") if no links lead from `root` to the list's signer.
    """
    steps = []
    if opened.kid != kid_of(root):
        for link in KeyList.parse(opened.body).links:
            if link.old == kid_of(root):
                steps.append((root, link.signature, link_message(link.public)))
                root = link.public
    if opened.kid != kid_of(root):
        raise Refused("bad-root", "signer")
    steps.append((root, opened.signature, opened.tbs(AAD_KEYS)))
    return steps
