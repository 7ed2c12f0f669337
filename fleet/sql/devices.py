"""Boards, groups and who belongs where: the SQL of it."""

import time

from sqlmodel import col, delete, func, select

from fleet.errors import Missing, Taken
from fleet.model import Component, Deployment, Device, Group, Label, Membership, Report, Target
from fleet.rollout import ONLINE_STATES
from fleet.sql.base import chunks
from fleet.sql.selection import condition


class Devices:
    """Part of `fleet.store.Store`."""

    def add_group(self, name):
        """Make the group `name` if it is not there."""
        with self.write() as session:
            if session.get(Group, name) is None:
                session.add(Group(name=name, created=time.time()))
                session.flush()

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

    def leave_group(self, group, device):
        """Take `device` out of `group`."""
        with self.write() as session:
            session.exec(delete(Membership).where(Membership.group == group, Membership.device == device))
            self.membership_changed()

    def add_device(self, device):
        """Add a `Device` row and put it into its home group; Taken if the id is."""
        self.add_devices([device])

    def add_devices(self, devices):
        """Add `Device` rows of one home group and put them into it; Taken if an id is."""
        with self.write():
            taken = self.sealed_keys([device.id for device in devices])
            if taken:
                raise Taken(f"There is a board {min(taken)} already. Choose another name.")
            self.add_group(devices[0].home_group)
            self.insert(Device, [device.model_dump() for device in devices])
            self.insert(Membership, [{"group": device.home_group, "device": device.id} for device in devices])
            self.membership_changed()
            self._credentials_changed()

    def labels(self, name=None):
        """{device: {label: value}} of all boards, or of one."""
        statement = select(Label.device, Label.name, Label.value).order_by(Label.name)
        found = {}
        for device, label, value in self.select(statement if name is None else statement.where(Label.device == name)):
            found.setdefault(device, {})[label] = value
        return found

    def put_labels(self, devices, labels):
        """Set {label: value} on boards; None removes."""
        with self.write() as session:
            self.upsert(
                Label, [{"device": device, "name": name, "value": value} for device in devices for name, value in labels.items() if value is not None]
            )
            gone = [name for name, value in labels.items() if value is None]
            session.exec(delete(Label).where(col(Label.device).in_(devices), col(Label.name).in_(gone)))
            self.membership_changed()

    def board_rows(self, group=None, where=None, name=None):
        """What lists show of boards, by id, as rows of named columns: quick for thousands."""
        board = (Device.id, Device.home_group, Device.board, Device.plain, Device.state, Device.seen)
        told = (Report.free_heap, Report.executor, Report.port, Report.fresh)
        main = (Component.name.label("module"), Component.version, Component.state.label("status"), Component.reason, Component.detail)
        statement = select(*board, *told, *main).join(Report, Report.device == Device.id, isouter=True)
        statement = statement.join(Component, (Component.device == Device.id) & (Component.slot == 0), isouter=True).order_by(Device.id)
        if group is not None:
            statement = statement.join(Membership, Membership.device == Device.id).where(Membership.group == group)
        if where:
            statement = statement.where(condition(where))
        if name is not None:
            statement = statement.where(Device.id == name)
        return self.select(statement)

    def remove_device(self, name):
        """Forget the board `name`, its memberships and what it should run; its log stays."""
        with self.write() as session:
            device = self.device(name)
            for model in (Membership, Label, Report, Component, Deployment, Target):
                session.exec(delete(model).where(col(model.device) == name))
            session.delete(device)
            self._credentials_changed()

    def _credentials_changed(self):
        self.put_setting("credentials", int(self.setting("credentials", "0")) + 1)

    def credentials_revision(self):
        """An int that rises whenever a board is added or removed."""
        return int(self.setting("credentials", "0"))

    def set_plain(self, names, plain):
        """Note whether boards do without TLS."""
        self.change(Device, [{"id": name, "plain": plain} for name in sorted(names)], "id")

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

    def memberships(self, name=None):
        """{device: [groups]} of all boards, or of one."""
        statement = select(Membership.device, Membership.group).order_by(Membership.group)
        found = {}
        for device, group in self.select(statement if name is None else statement.where(Membership.device == name)):
            found.setdefault(device, []).append(group)
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
        self.forget_reports([name])

    def forget_reports(self, names):
        """The same for many boards."""
        with self.write() as session:
            for part in chunks(names):
                session.exec(delete(Report).where(col(Report.device).in_(part)))
                session.exec(delete(Component).where(col(Component.device).in_(part)))
