"""Boards and groups: what a client can ask of them."""

import os
import re
import time

from fleet import deploy, freshness, health
from fleet.calls.common import check_id, fields
from fleet.credentials import SERVICE_USER
from fleet.errors import USAGE, FleetError, Missing
from fleet.model import Device, Report
from fleet.vault import Vault

DEFAULT_CAPABILITIES = ("gpio:*", "adc:*", "telemetry:*", "clock", "random", "log", "args")
REPORT_FIELDS = tuple(name for name in Report.model_fields if name != "device")

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VALUE = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


class Boards:
    """Part of `fleet.client.LocalClient`."""

    def devices(self, group=None, where=None):
        """[{"id", "groups", "state", "seen", "module", …}] of all boards, of one group's, or of those that meet a filter (`fleet.selection`)."""
        members, labels, wanted = self._store.memberships(), self._store.labels(), self._store.wanted()
        rows, tls = self._store.board_rows(group, where), bool(self._broker()["tls_cert"])
        return [_board(row, members.get(row.id, []), labels.get(row.id, {}), wanted.get(row.id), tls) for row in rows]

    def device(self, name):
        """Like a row of `devices`, with its capabilities, report and what it should run."""
        row = self._store.device(name)
        report, desired = self._store.report(name), self._store.desired(name)
        module = self._store.module(desired.module) if desired else None
        wanted = (module.name, module.version, desired.seq) if module else None
        labels, groups = self._store.labels(name).get(name, {}), self._store.memberships(name).get(name, [])
        board = _board(self._store.board_rows(name=name)[0], groups, labels, wanted, bool(self._broker()["tls_cert"]))
        told = fields(report, REPORT_FIELDS) if report else None
        return {**board, "capabilities": row.capabilities, "doubt": self._doubt(row, report, desired), "report": told}

    @staticmethod
    def _doubt(row, report, desired):
        """None, or how a board is not fresh (`fleet.freshness`)."""
        told = (report.received, report.seq) if report else (None, None)
        order = (desired.created, desired.seq) if desired else (None, None)
        return freshness.judge(row.state, *told, *order, time.time())

    def add_device(self, name, group, capabilities=None, board=None, plain=False):
        """Add a board with a new key; `board` is its kind, such as pico_w; `plain` where it does without TLS. Returns its row as `device` does."""
        self._add([name], group, capabilities, board, plain)
        self._store.audit(self.actor, "device add", name, group)
        return self.device(name)

    def add_devices(self, names, group, capabilities=None, plain=False):
        """Add many boards at once, with new keys."""
        self._add(names, group, capabilities, None, plain)
        self._store.audit(self.actor, "device add", f"{len(names)} boards", group)

    def _add(self, names, group, capabilities, board, plain):
        for name in names:
            check_id(name, "board")
        check_id(group, "group")
        if any(name.startswith(SERVICE_USER) for name in names):
            raise FleetError(f"Names that begin with {SERVICE_USER} are kept for the service. Choose another.", USAGE)
        if len(set(names)) < len(names):
            raise FleetError("A name stands in the list twice. Each board needs a name of its own.", USAGE)
        if plain:
            deploy.need_plain_port(self._broker(), ", ".join(names[:3]))
        granted = list(DEFAULT_CAPABILITIES if capabilities is None else capabilities)
        vault, now = self._vault(), time.time()
        common = {"home_group": group, "capabilities": granted, "board": board, "plain": plain, "created": now}
        self._store.add_devices([Device(id=name, sealed_key=vault.seal(name, os.urandom(32)), **common) for name in names])

    def label(self, devices, labels):
        """Set labels {name: value} on boards; a value of None removes the label."""
        for name, value in labels.items():
            if not _LABEL.fullmatch(name) or (value is not None and not _VALUE.fullmatch(value)):
                raise FleetError(f"{name}={value} is no label: names are letters, digits and ._-, values up to 64 printable characters.", USAGE)
        with self._store.write():
            for device in devices:
                self._store.device(device)
            self._store.put_labels(devices, labels)
            for name, value in sorted(labels.items()):
                self._store.audit(self.actor, "label", f"{name}={value}" if value is not None else f"{name} removed", ", ".join(devices)[:200])

    def set_plain(self, devices, plain):
        """Boards are told to do without TLS, or to use it; each learns it when it is provisioned anew."""
        if plain:
            deploy.need_plain_port(self._broker(), ", ".join(devices[:3]))
        with self._store.write():
            for device in devices:
                self._store.device(device)
            self._store.set_plain(devices, plain)
            self._store.audit(self.actor, "device plain" if plain else "device tls", ", ".join(devices)[:200])

    def remove_device(self, name):
        """Forget a board: its key is void at once."""
        self._store.remove_device(name)
        self._store.audit(self.actor, "device remove", name)

    def identity(self, name, wifi=(None, None)):
        """The bytes of the board's identity file: they hold its key."""
        row = self._store.device(name)
        root = bytes.fromhex(self._store.setting("root"))
        key = self._vault().unseal(name, row.sealed_key)
        return deploy.identity(row, key, root, self._broker(), wifi)

    def fresh_identities(self, names):
        """The bytes of these boards' identity files, which start counting anew: what they reported until now counts no more."""
        root, vault, broker = bytes.fromhex(self._store.setting("root")), self._vault(), self._broker()
        rows = {row.id: row for row in self._store.devices()}
        self._store.forget_reports(names)
        return [deploy.identity(rows[name], vault.unseal(name, rows[name].sealed_key), root, broker) for name in names]

    def provisioned(self, name):
        """The board is being set up anew and starts counting again: what it reported until now counts no more."""
        self._store.forget_report(name)
        self._store.audit(self.actor, "device provision", name)

    def _broker(self):
        return self.home.settings()["broker"]

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
        with self._store.write():
            for device in devices:
                self._store.device(device)
            for device in devices:
                self._store.join_group(name, device)
                self._store.audit(self.actor, "group add", name, device)

    def leave_group(self, name, devices):
        """Take boards out of a group; what they run stays."""
        self._need_group(name)
        with self._store.write():
            for device in devices:
                self._store.device(device)
                self._store.leave_group(name, device)
                self._store.audit(self.actor, "group remove", name, device)

    def _need_group(self, name):
        if not self._store.has_group(name):
            raise Missing(f"There is no group {name}. `fleet group list` shows those there are.")


def _board(row, groups, labels, wanted, tls):
    board = {
        "id": row.id,
        "groups": groups,
        "home_group": row.home_group,
        "labels": labels,
        "board": row.board,
        "state": row.state,
        "seen": row.seen,
        "module": row.module,
        "version": row.version,
        "status": row.status,
        "reason": row.reason,
        "free_heap": row.free_heap,
        "executor": row.executor or None,
        "port": row.port,
        "tls": tls and not row.plain,
        "fresh": row.fresh,
        "desired": dict(zip(("module", "version", "seq"), wanted)) if wanted else None,
    }
    return {**board, **health.judge({**board, "detail": row.detail})}
