"""Keys, blobs, modules and what each board should run: the SQL of it."""

import os
import time
from hashlib import sha256

from sqlmodel import col, func, or_, select

from fleet.model import Blob, Deployment, Device, Key, KeyList, Module, Report
from fleet.rollout import ONLINE_STATES
from fleet.sql.base import chunks


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

    def add_deployments(self, deployments):
        """Store what boards should run from now on."""
        self.insert(Deployment, [deployment.model_dump() for deployment in deployments])

    def last_seqs(self, devices):
        """{device: the highest seq that was given to it or that it reported}; boards that have neither are left out."""
        found = {}
        for part in chunks(devices):
            given = select(Deployment.device, func.max(Deployment.seq)).where(col(Deployment.device).in_(part)).group_by(Deployment.device)
            reported = select(Report.device, Report.seq).where(col(Report.device).in_(part))
            for device, seq in [*self.select(given), *self.select(reported)]:
                found[device] = max(seq, found.get(device, 0))
        return found

    def desired(self, device):
        """The board's newest `Deployment`, or None."""
        with self.read() as session:
            return session.exec(select(Deployment).where(Deployment.device == device).order_by(col(Deployment.seq).desc())).first()

    def all_desired(self, since=0):
        """The newest `Deployment` of every board; those published after the time `since` if it is given."""
        newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).group_by(Deployment.device).subquery()
        found = select(Deployment).join(newest, (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq))
        return self.rows(found.where(col(Deployment.published) > since) if since else found)

    def desired_of(self, devices):
        """{device: its newest Deployment}."""
        found = {}
        for part in chunks(devices):
            newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).where(col(Deployment.device).in_(part))
            newest = newest.group_by(Deployment.device).subquery()
            rows = self.rows(select(Deployment).join(newest, (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq)))
            found.update((row.device, row) for row in rows)
        return found

    def unpublished(self, before):
        """Orders that were stored before the time `before` and never published: a service died in between."""
        return self.rows(select(Deployment).where(col(Deployment.published).is_(None), Deployment.created < before).limit(1000))

    def mark_published(self, deployments, now):
        """Note that orders were published."""
        self.change(Deployment, [{"device": row.device, "seq": row.seq, "published": now} for row in deployments], "device", "seq")

    def nonce_times(self, devices, nonces):
        """{device: when its newest order's nonce was made}, where `nonces` (device: bytes) is that one, else when the last one it echoed was."""
        found = {}
        for part in chunks(devices):
            stored = select(Report.device, Report.fresh).where(col(Report.device).in_(part))
            found.update((row[0], row[1]) for row in self.select(stored))
            newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).where(col(Deployment.device).in_(part))
            newest = newest.group_by(Deployment.device).subquery()
            fields = select(Deployment.device, Deployment.nonce, Deployment.refreshed)
            joined = fields.join(newest, (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq))
            found.update((device, refreshed) for device, nonce, refreshed in self.select(joined) if nonce == nonces[device])
        return found

    def refresh_nonces(self, now, before, limit):
        """Give up to `limit` boards that are online and whose newest order's nonce was made before `before` a new one: [Deployment].

        A board that keeps echoing an old nonce does not get to see what is published: somebody withholds it.
        """
        newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).group_by(Deployment.device).subquery()
        statement = select(Deployment).join(newest, (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq))
        old = or_(col(Deployment.refreshed).is_(None), col(Deployment.refreshed) < before)
        online = col(Device.state).in_(ONLINE_STATES)
        rows = self.rows(statement.join(Device, Device.id == Deployment.device).where(old, online).limit(limit))
        for row in rows:
            row.nonce, row.refreshed = os.urandom(8), now
        self.change(Deployment, [{"device": row.device, "seq": row.seq, "nonce": row.nonce, "refreshed": now} for row in rows], "device", "seq")
        return rows
