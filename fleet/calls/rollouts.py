"""Pushes and rollouts: what a client can ask of them."""

import time

from fleet import ahead, deploy, policy, rollout, signing
from fleet.calls.common import rollout_fields
from fleet.errors import SIGNATURE, USAGE, FleetError, Missing, Taken
from fleet.model import Module, Rollout
from fleet.orders import read_policy
from mpwasm.errors import Refused
from mpwasm.wire import envelope
from mpwasm.wire.manifest import Manifest

LIVE = ("running", "paused")


class Rollouts:
    """Part of `fleet.client.LocalClient`."""

    def manifest_groups(self, group=None, where=None):
        """The groups that a manifest for these boards must name: `group` itself, and those its boards were set up for."""
        if group:
            self._need_group(group)
        chosen = set(self._store.matching(group, where))
        if not chosen:
            raise FleetError(self._nobody(group, where), USAGE)
        return sorted(({group} if group else set()) | {row.home_group for row in self._store.devices() if row.id in chosen})

    def push(self, package, group=None, timeout_s=None, again=False, allow_untrusted_key=False, plan=None, where=None):
        """Start a rollout of a `deploy.Package` to a group, the boards that meet the filter `where`, or both.

        `plan` says how it goes, as plain data (`fleet.policy`). {"rollout": id or None, "unchanged": [boards that have it already]}.
        """
        found = policy.read({**(plan or {}), **({} if timeout_s is None else {"timeout_s": timeout_s})})
        if not group and not where:
            raise FleetError("Say which boards: with --group NAME or --where FILTER.", USAGE)
        if group:
            self._need_group(group)
        if not allow_untrusted_key:
            self._check_signature(package)
        devices = self._store.matching(group, where)
        if not devices:
            raise FleetError(self._nobody(group, where), USAGE)
        with self._store.write():
            unchanged = [] if again else self.unchanged(devices, package.digest)
            wanted = sorted(set(devices) - set(unchanged))
            number = self._start(package, group, where, found, wanted) if wanted else None
        return {"rollout": number, "unchanged": unchanged}

    def distrust(self, package):
        """Why boards would not trust the signature of a `deploy.Package`, as a sentence, or None."""
        try:
            self._check_signature(package)
        except FleetError as error:
            return error.sentence
        return None

    @staticmethod
    def _nobody(group, where):
        if where:
            return f"No board meets the filter {where!r}. `fleet device list --where FILTER` shows which do."
        return f"The group {group} has no boards yet. `fleet device add NAME --group {group}` adds one."

    def _check_signature(self, package):
        """The service side trusts no caller: the envelope must verify under a key of this fleet."""
        opened = envelope.open_envelope(package.envelope)
        listed = self.key_list()
        try:
            manifest = Manifest.parse(opened.body)
            for group in manifest.groups:
                key = listed.find(opened.kid, manifest.kind, group)
                key.allow(manifest)
        except Refused as refusal:
            why = f"{refusal.reason}: {refusal.detail}" if refusal.detail else refusal.reason
            raise FleetError(f"No key of this fleet may have signed this module ({why}). Nothing was pushed.", SIGNATURE) from refusal
        if not signing.verifies(key.public, opened.signature, opened.tbs(envelope.AAD_MANIFEST)):
            raise FleetError("The module's signature does not verify. Nothing was pushed.", SIGNATURE)

    def unchanged(self, devices, digest):
        """Those that were told to run this very release, under the current keys, or will be by a rollout that goes on; by id."""
        version, told, targets = self._store.key_list().version, self._store.told(devices), self._store.latest_targets(devices)
        live = {row.id for row in self._store.active_rollouts()}
        found = []
        for name in devices:
            target = targets.get(name)
            if target is not None and target.state == rollout.QUEUED and target.rollout in live:
                same = target.module == digest
            else:
                same = told.get(name) == (digest, version)
            if same:
                found.append(name)
        return found

    def _start(self, package, group, where, found, devices):
        store, manifest, now = self._store, package.manifest, time.time()
        payload = self._put_payload(package)
        digest = store.put_blob(package.envelope, "manifest")
        row = Module(
            digest=digest,
            size=len(package.envelope),
            name=manifest.name,
            version=manifest.version,
            payload=payload,
            payload_size=len(package.payload),
            kid=package.kid,
            capabilities=list(manifest.capabilities),
            created=now,
        )
        store.put_module(row)
        number = self._new_rollout(digest, group, found, {name: digest for name in devices}, selection=where)
        store.audit(self.actor, "push", f"{manifest.name} {manifest.version}", group or where)
        return number

    def _new_rollout(self, module, group, found, modules, **more):
        now = time.time()
        settings = {"policy": policy.plain(found), "window_s": deploy.DEFAULT_WINDOW_S, "timeout_s": int(found.timeout_s)}
        row = Rollout(module=module, group=group or "", actor=self.actor, created=now, opened=now, **settings, **more)
        with self._store.write():
            number = self._store.add_rollout(row, modules)
            self._store.audit(self.actor, "rollout start", str(number))
        return number

    def _put_payload(self, package):
        """Store what boards fetch; the digest of the payload."""
        first, *images = ahead.split(package.manifest, package.payload)
        for data in images:
            self._store.put_blob(data, "image")
        return self._store.put_blob(first, "payload")

    def rollout(self, number):
        """Like a row of `rollouts`, with "policy" (plain data), "steps" [{"wave", "size", "counts"}] and
        "targets": [{"device", "wave", "runs", "state", "reason", "detail", "progress", "online", "final"}];
        "runs" is whether the board is to run anything."""
        row = self._row(number)
        online = {member[0]: member[2] for member in self._store.members(number)}
        targets = [_target(target, online[target.device]) for target in self._store.targets(number)]
        module = self._store.module(row.module) if row.module else None
        found = read_policy(row)
        counts = {}
        for target in targets:
            counts[target["state"]] = counts.get(target["state"], 0) + 1
        more = {"policy": policy.plain(found), "counts": counts, "steps": _steps(found, targets), "targets": targets}
        return {**rollout_fields(row, module), **more}

    def _row(self, number):
        row = self._store.rollout(number)
        if row is None:
            raise Missing(f"There is no rollout {number}. `fleet rollout list` shows those there are.")
        return row

    def pause_rollout(self, number):
        """No board gets its order until `resume_rollout`; boards at work go on. Taken if it has ended."""
        self._steer(number, "rollout pause", ("running",), state="paused", reason="user")

    def resume_rollout(self, number):
        """Go on; what failed until now is forgiven, and the open wave's time begins anew. Taken if it is not paused."""
        now = time.time()
        with self._store.write():
            ends = [row.ended for row in self._store.targets(number) if row.ended is not None]
            forgiven = max([now, *ends])  # another machine's clock may be ahead of this one's
            self._steer(number, "rollout resume", ("paused",), state="running", reason=None, resumed=forgiven, opened=now)

    def abort_rollout(self, number):
        """End a rollout: nobody else gets an order, and boards that have not come to an end get back what they ran.

        {"rollout": id of the rollout that brings it back, or None}. Taken if it has ended.
        """
        with self._store.write():
            self._steer(number, "rollout abort", LIVE, state="aborted", reason="user", ended=time.time())
            targets = self._store.targets(number)
            self._store.cancel_queued(number)
            return {"rollout": self._bring_back(number, [row for row in targets if row.state not in rollout.FINAL and row.seq is not None])}

    def undo_rollout(self, number):
        """Give every board of a rollout back what it ran before, all at once. {"rollout": id of the rollout that does it, or None}."""
        with self._store.write():
            self._steer(number, "rollout undo", ("running", "paused", "done", "aborted"), state="undone", reason="user", ended=time.time())
            targets = self._store.targets(number)
            self._store.cancel_queued(number)
            return {"rollout": self._bring_back(number, [row for row in targets if row.seq is not None])}

    def _steer(self, number, action, states, **changes):
        with self._store.write():
            row = self._row(number)
            if row.state not in states:
                raise Taken(f"Rollout {number} is {row.state}, so that cannot be done. `fleet rollout show {number}` shows it.")
            self._store.change_rollout(number, **changes)
            self._store.audit(self.actor, action, str(number))

    def _bring_back(self, number, targets):
        """A rollout that takes boards back to what they ran before `number`; those that were told something newer since are left alone."""
        newest = self._store.latest_targets([row.device for row in targets])
        modules = {row.device: row.previous or "" for row in targets if newest[row.device].rollout == number}
        if not modules:
            return None
        row = self._row(number)
        return self._new_rollout("", row.group, policy.read(policy.AT_ONCE), modules, undoes=number)

    def latest(self, device):
        """The board's place in its newest rollout as in `rollout`, or None."""
        target = self._store.latest_target(device)
        return _target(target, False) if target else None


def _steps(found, targets):
    """How far each wave is: its size, and the boards of it in each state."""
    steps = []
    for wave, size in enumerate(rollout.wave_sizes(found, len(targets))):
        counts = {}
        for target in targets:
            if target["wave"] == wave:
                counts[target["state"]] = counts.get(target["state"], 0) + 1
        steps.append({"wave": wave, "size": size, "counts": counts})
    return steps


def _target(row, online):
    return {
        "device": row.device,
        "wave": row.wave,
        "runs": bool(row.module),
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "progress": row.progress,
        "updated": row.updated,
        "online": online,
        "final": row.state in rollout.FINAL,
    }
