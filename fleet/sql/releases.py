"""Keys, blobs, modules, rollouts and what each board should run: the SQL of it."""

import time
from hashlib import sha256

from sqlmodel import col, func, select

from fleet.model import Blob, Deployment, Key, KeyList, Module, Rollout, Target
from fleet.rollout import FINAL, SUPERSEDED


class Releases:
    """Part of `fleet.store.Store`."""

    def put_blob(self, data, kind):
        """Store bytes by their SHA-256 unless they are there; returns the digest in hex."""
        digest = sha256(data).hexdigest()
        with self.write() as session:
            if session.get(Blob, digest) is None:
                session.add(Blob(digest=digest, kind=kind, size=len(data), data=data, created=time.time()))
        return digest

    def blob(self, digest):
        """The bytes named `digest` (hex), or None."""
        found = self.row(Blob, Blob.digest == digest)
        return found.data if found else None

    def put_keys(self, keys, version, blob):
        """Store a signed list of keys (`blob`) as `version`, with the rows of its keys."""
        with self.write() as session:
            for key in keys:
                session.merge(key)
            digest = self.put_blob(blob, "keys")
            session.add(KeyList(version=version, digest=digest, size=len(blob), created=time.time()))

    def keys(self):
        """All release keys, oldest first."""
        return self.rows(select(Key).order_by(Key.created, Key.kid))

    def key(self, kid):
        """The release key `kid` (hex), or None."""
        return self.row(Key, Key.kid == kid)

    def key_list(self):
        """The newest `KeyList`, or None."""
        with self.read() as session:
            return session.exec(select(KeyList).order_by(col(KeyList.version).desc())).first()

    def put_module(self, module):
        """Store the row of a signed module."""
        with self.write() as session:
            session.merge(module)

    def module(self, digest):
        """The module whose envelope has `digest` (hex), or None."""
        return self.row(Module, Module.digest == digest)

    def modules(self):
        """{digest: Module}."""
        return {row.digest: row for row in self.rows(select(Module))}

    def add_rollout(self, rollout, waves):
        """Store a rollout and its boards, `waves` being a list of lists of device ids; returns its id."""
        with self.write() as session:
            session.add(rollout)
            session.flush()
            for wave, devices in enumerate(waves):
                for device in devices:
                    session.add(Target(rollout=rollout.id, device=device, wave=wave, updated=time.time()))
            return rollout.id

    def rollout(self, number):
        """The rollout `number`, or None."""
        return self.row(Rollout, Rollout.id == number)

    def running_rollouts(self):
        """The rollouts that are not done, oldest first."""
        return self.rows(select(Rollout).where(Rollout.state == "running").order_by(Rollout.id))

    def end_rollout(self, number, now):
        """Mark the rollout as done."""
        with self.write() as session:
            rollout = session.get(Rollout, number)
            rollout.state, rollout.ended = "done", now
            session.add(rollout)

    def targets(self, rollout):
        """The `Target` rows of a rollout by board."""
        return self.rows(select(Target).where(Target.rollout == rollout).order_by(Target.device))

    def target(self, rollout, device):
        """One `Target`, or None."""
        return self.row(Target, Target.rollout == rollout, Target.device == device)

    def latest_target(self, device):
        """The board's `Target` of its newest rollout, or None."""
        with self.read() as session:
            return session.exec(select(Target).where(Target.device == device).order_by(col(Target.rollout).desc())).first()

    def update_target(self, rollout, device, **changes):
        """Change fields of one target, unless its board was removed just now."""
        with self.write() as session:
            target = session.get(Target, (rollout, device))
            if target is None:
                return
            target.sqlmodel_update({**changes, "updated": time.time()})
            session.add(target)

    def supersede(self, device, rollout):
        """Close what older rollouts than `rollout` still wanted of the board."""
        older = select(Target).where(Target.device == device, Target.rollout < rollout, col(Target.state).not_in(FINAL))
        with self.write() as session:
            for target in session.exec(older):
                self.update_target(target.rollout, device, state=SUPERSEDED)

    def add_deployment(self, deployment):
        """Store what a board should run from now on."""
        with self.write() as session:
            session.add(deployment)

    def desired(self, device):
        """The board's newest `Deployment`, or None."""
        with self.read() as session:
            return session.exec(select(Deployment).where(Deployment.device == device).order_by(col(Deployment.seq).desc())).first()

    def all_desired(self):
        """The newest `Deployment` of every board."""
        newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).group_by(Deployment.device).subquery()
        return self.rows(select(Deployment).join(newest, (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq)))
