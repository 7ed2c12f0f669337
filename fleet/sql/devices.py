"""Boards, groups and who belongs where: the SQL of it."""

import time

from sqlmodel import col, delete, func, select

from fleet.errors import Missing, Taken
from fleet.model import Component, Deployment, Device, Group, Membership, Report, Target
from fleet.rollout import ONLINE_STATES
from fleet.sql.base import chunks


class Devices:
    """Part of `fleet.store.Store`."""

    def add_group(self, name):
        """Make the group `name` if it is not there."""
        with self.write() as session:
            if session.get(Group, name) is None:
                session.add(Group(name=name, created=time.time()))

    def groups(self):
        """[(name, number of boards)] by name."""
        counted = select(Group.name, func.count(Membership.device)).join(Membership, Membership.group == Group.name, isouter=True)
        return self.rows(counted.group_by(Group.name).order_by(Group.name))

    def has_group(self, name):
        """Whether there is a group `name`."""
        return self.row(Group, Group.name == name) is not None

    def join_group(self, group, device):
        """Put `device` into `group`."""
        with self.write() as session:
            if session.get(Membership, (group, device)) is None:
                session.add(Membership(group=group, device=device))
                self.membership_changed()

    def membership_changed(self):
        """Groups or labels changed: services look who joins a rollout."""
        self.put_setting("membership", int(self.setting("membership", "0")) + 1)

    def add_device(self, device):
        """Add a `Device` row and put it into its home group; FleetError if the id is taken."""
        with self.write() as session:
            if session.get(Device, device.id) is not None:
                raise Taken(f"There is a board {device.id} already. Choose another name.")
            self.add_group(device.home_group)
            session.add(device)
            session.flush()
            self.join_group(device.home_group, device.id)
            self._credentials_changed()

    def remove_device(self, name):
        """Forget the board `name`, its memberships and what it should run; its log stays."""
        with self.write() as session:
            device = self.device(name)
            for model in (Membership, Report, Component, Deployment, Target):
                session.exec(delete(model).where(col(model.device) == name))
            session.delete(device)
            self._credentials_changed()

    def _credentials_changed(self):
        self.put_setting("credentials", int(self.setting("credentials", "0")) + 1)

    def credentials_revision(self):
        """An int that rises whenever a board is added or removed."""
        return int(self.setting("credentials", "0"))

    def find_device(self, name):
        """The `Device` row of `name`, or None."""
        return self.row(Device, Device.id == name)

    def device(self, name):
        """The `Device` row of `name`; FleetError if there is none."""
        found = self.find_device(name)
        if found is None:
            raise Missing(f"There is no board {name}. `fleet device list` shows those there are.")
        return found

    def devices(self, group=None):
        """All boards, or those of `group`, by id."""
        statement = select(Device).order_by(Device.id)
        if group is not None:
            statement = statement.join(Membership, Membership.device == Device.id).where(Membership.group == group)
        return self.rows(statement)

    def memberships(self):
        """{device: [groups]} of all boards."""
        found = {}
        for row in self.rows(select(Membership).order_by(Membership.group)):
            found.setdefault(row.device, []).append(row.group)
        return found

    def set_presence(self, name, state, now):
        """Store one board's `state` ("ready", "lost", …)."""
        self.set_presences({name: state}, now)

    def set_presences(self, states, now):
        """Store {board: state}; boards that are not there are left out."""
        self.change(Device, [{"id": name, "state": state, "seen": now} for name, state in sorted(states.items())], "id")

    def sealed_keys(self, devices):
        """{device: its encrypted key K}."""
        found = {}
        for part in chunks(devices):
            found.update((row[0], row[1]) for row in self.select(select(Device.id, Device.sealed_key).where(col(Device.id).in_(part))))
        return found

    def report_marks(self, devices):
        """{device: (boot id, boots, counter, whether online)} of the last reports, None for boards without one; locks the boards' rows."""
        found = {}
        for part in chunks(devices):
            fields = (Device.id, Report.boot_id, Report.boots, Report.counter, Device.state)
            statement = select(*fields).join(Report, Report.device == Device.id, isouter=True).where(col(Device.id).in_(part))
            for name, boot_id, boots, counter, state in self.select(statement.order_by(Device.id).with_for_update(of=Device)):
                found[name] = (boot_id, boots, counter, state in ONLINE_STATES)
        return found

    def put_reports(self, reports, components, now):
        """Store authenticated reports (dicts) and their components (dicts) in place of the last ones."""
        names = [row["device"] for row in reports]
        with self.write() as session:
            self.upsert(Report, reports)
            for part in chunks(names):
                slots = {(row["device"], row["slot"]) for row in components}
                stored = self.select(select(Component.device, Component.slot).where(col(Component.device).in_(part)))
                for device, slot in stored:
                    if (device, slot) not in slots:
                        session.exec(delete(Component).where(Component.device == device, Component.slot == slot))
            self.upsert(Component, components)
            self.change(Device, [{"id": name, "seen": now} for name in sorted(names)], "id")

    def put_report(self, report, components):
        """Store one `Report` and its `Component` rows, unless the board was removed just now."""
        if self.find_device(report.device):
            self.put_reports([report.model_dump()], [row.model_dump() for row in components], report.received)

    def report(self, name):
        """The last report of the board, or None."""
        return self.row(Report, Report.device == name)

    def reports(self):
        """{device: Report}."""
        return {row.device: row for row in self.rows(select(Report))}

    def components(self):
        """{device: [Component by slot]}."""
        found = {}
        for row in self.rows(select(Component).order_by(Component.slot)):
            found.setdefault(row.device, []).append(row)
        return found

    def forget_report(self, name):
        """Drop what the board reported: it is set up anew and starts counting again."""
        with self.write() as session:
            session.exec(delete(Report).where(col(Report.device) == name))
            session.exec(delete(Component).where(col(Component.device) == name))
