"""Boards and groups: what a client can ask of them."""

import os
import time

from fleet import deploy, health
from fleet.calls.common import check_id, fields
from fleet.errors import Missing
from fleet.model import Device, Report
from fleet.vault import Vault

DEFAULT_CAPABILITIES = ("gpio:*", "adc:*", "telemetry:*", "clock", "random", "log", "args")
REPORT_FIELDS = tuple(name for name in Report.model_fields if name != "device")


class Boards:
    """Part of `fleet.client.LocalClient`."""

    def devices(self, group=None):
        """[{"id", "groups", "state", "seen", "module", …}] of all boards, or of one group's."""
        store = self._store
        members, reports, components, wanted = store.memberships(), store.reports(), store.components(), store.wanted()
        return [
            _board(row, members.get(row.id, []), reports.get(row.id), components.get(row.id, []), wanted.get(row.id)) for row in store.devices(group)
        ]

    def device(self, name):
        """Like a row of `devices`, with its capabilities, report and what it should run."""
        row = self._store.device(name)
        report, desired = self._store.report(name), self._store.desired(name)
        module = self._store.module(desired.module) if desired else None
        wanted = (module.name, module.version, desired.seq) if desired else None
        board = _board(row, self._store.memberships().get(name, []), report, self._store.components().get(name, []), wanted)
        told = fields(report, REPORT_FIELDS) if report else None
        return {**board, "capabilities": row.capabilities, "report": told}

    def add_device(self, name, group, capabilities=None):
        """Add a board with a new key; returns its row as `device` does."""
        check_id(name, "board")
        check_id(group, "group")
        granted = list(DEFAULT_CAPABILITIES if capabilities is None else capabilities)
        sealed = self._vault().seal(name, os.urandom(32))
        self._store.add_device(Device(id=name, home_group=group, sealed_key=sealed, capabilities=granted, created=time.time()))
        self._store.audit(self.actor, "device add", name, group)
        return self.device(name)

    def remove_device(self, name):
        """Forget a board: its key is void at once."""
        self._store.remove_device(name)
        self._store.audit(self.actor, "device remove", name)

    def identity(self, name, wifi=(None, None)):
        """The bytes of the board's identity file: they hold its key."""
        row = self._store.device(name)
        root = bytes.fromhex(self._store.setting("root"))
        key = self._vault().unseal(name, row.sealed_key)
        return deploy.identity(row, key, root, self.home.settings()["broker"], wifi)

    def provisioned(self, name):
        """The board is being set up anew and starts counting again: what it reported until now counts no more."""
        self._store.forget_report(name)
        self._store.audit(self.actor, "device provision", name)

    def _vault(self):
        return Vault.open(self.home.key_file)

    def groups(self):
        """[{"name", "boards"}]."""
        return [{"name": name, "boards": count} for name, count in self._store.groups()]

    def add_group(self, name):
        """Make an empty group."""
        check_id(name, "group")
        self._store.add_group(name)
        self._store.audit(self.actor, "group create", name)

    def join_group(self, name, devices):
        """Put boards into a group that is there."""
        self._need_group(name)
        for device in devices:
            self._store.device(device)
        for device in devices:
            self._store.join_group(name, device)
            self._store.audit(self.actor, "group add", name, device)

    def _need_group(self, name):
        if not self._store.has_group(name):
            raise Missing(f"There is no group {name}. `fleet group list` shows those there are.")


def _board(row, groups, report, components, wanted):
    main = next((part for part in components if part.slot == 0), None)
    board = {
        "id": row.id,
        "groups": groups,
        "state": row.state,
        "seen": row.seen,
        "module": main.name if main else None,
        "version": main.version if main else None,
        "status": main.state if main else None,
        "reason": main.reason if main else None,
        "free_heap": report.free_heap if report else None,
        "executor": report.executor or None if report else None,
        "port": report.port if report else None,
        "fresh": report.fresh if report else None,
        "desired": dict(zip(("module", "version", "seq"), wanted)) if wanted else None,
    }
    return {**board, **health.judge({**board, "detail": main.detail if main else None})}
