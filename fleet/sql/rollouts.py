"""Rollouts and their boards: the SQL of it. Many boards are read and changed in one statement."""

import time
from types import SimpleNamespace

from sqlmodel import col, func, select, update

from fleet.model import Component, Deployment, Device, Membership, Rollout, Target
from fleet.rollout import CANCELLED, FINAL, ONLINE_STATES, QUEUED, SENT, SUPERSEDED
from fleet.sql.base import chunks
from fleet.sql.selection import condition

ACTIVE = ("running", "paused")


class Rollouts:
    """Part of `fleet.store.Store`."""

    def add_rollout(self, rollout, modules):
        """Store a rollout and its boards, `modules` being {device: digest of what it is to run, or ""}; returns its id."""
        with self.write() as session:
            session.add(rollout)
            session.flush()
            self.add_targets(rollout.id, modules, False)
            return rollout.id

    def add_targets(self, number, modules, late):
        """Queue boards in the rollout `number`; `late` if it has begun already."""
        now = time.time()
        self.insert(
            Target, [Target(rollout=number, device=name, module=digest, late=late, updated=now).model_dump() for name, digest in modules.items()]
        )

    def rollout(self, number):
        """The rollout `number`, or None."""
        return self.row(Rollout, Rollout.id == number)

    def lock_rollout(self, number):
        """The rollout `number`, locked until the transaction ends; None if it is gone or another service works on it."""
        with self.write() as session:
            statement = select(Rollout).where(Rollout.id == number).with_for_update(skip_locked=True)
            return session.exec(statement.execution_options(populate_existing=True)).first()

    def active_rollouts(self):
        """The rollouts that are running or paused, oldest first."""
        return self.rows(select(Rollout).where(col(Rollout.state).in_(ACTIVE)).order_by(Rollout.id))

    def change_rollout(self, number, **changes):
        """Change fields of the rollout `number`."""
        with self.write() as session:
            session.exec(update(Rollout).where(Rollout.id == number).values(**changes))

    def members(self, number):
        """[(device, state, whether it is online, wave, sent, started, ended, late)] of a rollout, by board."""
        fields = (Target.device, Target.state, Device.state, Target.wave, Target.sent, Target.started, Target.ended, Target.late)
        statement = select(*fields).join(Device, Device.id == Target.device, isouter=True).where(Target.rollout == number)
        rows = self.select(statement.order_by(Target.device))
        return [(row[0], row[1], row[2] in ONLINE_STATES, *row[3:]) for row in rows]

    def queued(self, number, devices):
        """[(device, digest of what it is to run, whether it is online)] of those of `devices` that still wait for their order."""
        fields = select(Target.device, Target.module, Device.state).join(Device, Device.id == Target.device)
        here = (Target.rollout == number, Target.state == QUEUED, col(Target.device).in_(devices))
        return [(row[0], row[1], row[2] in ONLINE_STATES) for row in self.select(fields.where(*here).order_by(Target.device))]

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

    def latest_targets(self, devices):
        """{device: the columns of its `Target` in its newest rollout, as an object}, locked where the database locks rows; within `write`."""
        found = {}
        for part in chunks(devices):
            newest = select(Target.device, func.max(Target.rollout).label("number")).where(col(Target.device).in_(part)).group_by(Target.device)
            newest = newest.subquery()
            statement = select(*Target.__table__.c).join(newest, (Target.device == newest.c.device) & (Target.rollout == newest.c.number))
            rows = self.select(statement.with_for_update(of=Target).order_by(Target.device))
            found.update((row.device, SimpleNamespace(**row._mapping)) for row in rows)
        return found

    def update_target(self, rollout, device, **changes):
        """Change fields of one target, unless its board was removed just now."""
        self.update_targets([{"rollout": rollout, "device": device, **changes}])

    def update_targets(self, rows):
        """Change many targets: dicts with "rollout", "device" and what is new."""
        now = time.time()
        self.change(Target, [{**row, "updated": now} for row in rows], "rollout", "device")

    def supersede(self, devices, rollout):
        """Close what older rollouts than `rollout` still wanted of the boards."""
        self._close(devices, SUPERSEDED, Target.rollout < rollout)

    def cancel_queued(self, number):
        """Close what a rollout has not begun."""
        with self.write() as session:
            changed = {"state": CANCELLED, "ended": time.time(), "updated": time.time()}
            session.exec(update(Target).where(Target.rollout == number, Target.state == QUEUED).values(changed))

    def _close(self, devices, state, *where):
        changed = {"state": state, "ended": time.time(), "updated": time.time()}
        with self.write() as session:
            for part in chunks(devices):
                here = (col(Target.device).in_(part), col(Target.state).not_in(FINAL))
                session.exec(update(Target).where(*here, *where).values(changed))

    def boards_here(self, devices, now):
        """Boards came online: those that have an order to work on begin now."""
        self._mark_started(devices, now, col(Target.started).is_(None), col(Target.sent).is_not(None))

    def boards_asleep(self, devices):
        """Boards went to sleep: their time stands still."""
        self._mark_started(devices, None)

    def boards_lost(self, devices):
        """Boards were lost: those that never spoke of their order have not seen it."""
        self._mark_started(devices, None, Target.state == SENT)

    def _mark_started(self, devices, when, *where):
        with self.write() as session:
            for part in chunks(devices):
                here = (col(Target.device).in_(part), col(Target.state).not_in(FINAL))
                session.exec(update(Target).where(*here, *where).values(started=when))

    def running_digests(self, devices):
        """{device: digest of the manifest it reports as running in slot 0}."""
        found = {}
        for part in chunks(devices):
            statement = select(Component.device, Component.digest).where(Component.slot == 0, col(Component.device).in_(part))
            found.update((row[0], row[1]) for row in self.select(statement) if row[1])
        return found

    def told(self, devices):
        """{device: (module digest, key list's version)} of the newest order of each board that has one."""
        found = {}
        for part in chunks(devices):
            newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).where(col(Deployment.device).in_(part))
            newest = newest.group_by(Deployment.device).subquery()
            fields = select(Deployment.device, Deployment.module, Deployment.key_list)
            joined = fields.join(newest, (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq))
            found.update((row[0], (row[1], row[2])) for row in self.select(joined))
        return found

    def matching(self, group=None, selection=None):
        """The ids of the boards of a group and those that meet a filter (`fleet.selection`), by id; both narrow."""
        statement = select(Device.id).order_by(Device.id)
        if group:
            statement = statement.join(Membership, Membership.device == Device.id).where(Membership.group == group)
        if selection:
            statement = statement.where(condition(selection))
        return [row[0] for row in self.select(statement)]

    def in_rollout(self, number):
        """The ids of a rollout's boards, as a set."""
        return {row[0] for row in self.select(select(Target.device).where(Target.rollout == number))}
