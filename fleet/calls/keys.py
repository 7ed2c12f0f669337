"""Keys that may sign: what a client can ask of them. The root's private key never comes here: lists arrive signed."""

import time
from hashlib import sha256

from fleet import signing, trust
from fleet.errors import Missing
from fleet.model import Key


class Keys:
    """Part of `fleet.client.LocalClient`."""

    def keys(self):
        """[{"kid", "name", "scopes", "state", "revoked", "created"}] of the release keys there are and were.

        States: active, retired (not in the list any more), revoked, stopped (revoked, and its modules stop).
        """
        listed = self.key_list()
        return [self._key(row, listed) for row in self._store.keys()]

    def _key(self, row, listed):
        kid = bytes.fromhex(row.kid)
        state = "active" if any(key.kid == kid for key in listed.keys) else "retired"
        if kid in listed.revoked:
            state = "stopped" if kid in listed.stopped else "revoked"
        revoked = state in ("revoked", "stopped")
        return {"kid": row.kid, "name": row.name, "scopes": row.scopes, "state": state, "revoked": revoked, "created": row.created}

    def key(self, name):
        """Like a row of `keys`, with the "public" key; `name` is a name, an id or the beginning of one; Missing if it is none."""
        found = [row for row in self.keys() if row["name"] == name and row["state"] == "active"]
        found = found or [row for row in self.keys() if row["kid"].startswith(name)]
        if len(found) != 1:
            raise Missing(f"{name} names no key, or more than one. `fleet key list` shows them.")
        return {**found[0], "public": self._store.key(found[0]["kid"]).public.hex()}

    def root(self):
        """{"public", "fingerprint", "version"}: what boards trust, and the version of the list of keys it signed."""
        public = self._store.setting("root")
        return {"public": public, "fingerprint": sha256(bytes.fromhex(public)).hexdigest(), "version": self._store.key_list().version}

    def key_list(self):
        """The current list of release keys, as boards read it."""
        return signing.read_key_list(self.key_list_blob())

    def install_keys(self, blob):
        """Make a signed list of keys the fleet's; the service then tells every board. {"version", "root"}; FleetError (exit code 6)."""
        with self._store.write():
            root = bytes.fromhex(self._store.setting("root"))
            listed, signer = trust.check(blob, root, self._store.key_list().version)
            self._store.put_keys(self._rows(listed), listed.version, blob)
            if signer != root:
                self._store.put_setting("root", signer.hex())
                self._store.audit(self.actor, "root rotate", signer.hex())
            self._store.audit(self.actor, "key list", f"version {listed.version}")
        return {"version": listed.version, "root": signer.hex()}

    def _rows(self, listed):
        """The rows that a list changes: its keys, and those that it revokes."""
        now, known = time.time(), {row.kid: row for row in self._store.keys()}
        for key in listed.keys:
            kid = key.kid.hex()
            created = known[kid].created if kid in known else now
            yield Key(kid=kid, name=key.name, public=key.public, scopes=list(key.scopes), created=created)
        for kid in listed.revoked:
            if kid.hex() in known:
                yield Key(**{**known[kid.hex()].model_dump(), "revoked": True})
