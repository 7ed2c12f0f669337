"""Boards, groups and who belongs where: the SQL of it."""

import time

from sqlmodel import col, delete, func, select

from fleet.errors import Missing, Taken
from fleet.model import Component, Deployment, Device, Group, Membership, Report, Target


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
        """Store the board's `state` ("ready", "lost", …)."""
        with self.write() as session:
            device = session.get(Device, name)
            if device is not None:
                device.state, device.seen = state, now
                session.add(device)

    def put_report(self, report, components):
        """Store an authenticated report and its components in place of the last ones, unless the board was removed just now."""
        with self.write() as session:
            device = session.get(Device, report.device)
            if device is None:
                return
            session.merge(report)
            session.exec(delete(Component).where(col(Component.device) == report.device))
            for component in components:
                session.add(component)
            device.seen = report.received
            session.add(device)

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
