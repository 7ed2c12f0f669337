"""Pushes and rollouts: what a client can ask of them."""

import time

from fleet import deploy, rollout, signing
from fleet.errors import SIGNATURE, USAGE, FleetError, Missing
from fleet.model import Module, Rollout
from mpwasm.errors import Refused
from mpwasm.wire import envelope
from mpwasm.wire.manifest import Manifest


class Rollouts:
    """Part of `fleet.client.LocalClient`."""

    def manifest_groups(self, group):
        """The groups that a manifest for `group` must name: its own, and those its boards were set up for."""
        self._need_group(group)
        return sorted({group} | {row.home_group for row in self._store.devices(group)})

    def push(self, package, group, timeout_s, again=False, allow_untrusted_key=False):
        """Start a rollout of a `deploy.Package` to a group; {"rollout": id or None, "unchanged": [boards that have it already]}."""
        self._need_group(group)
        if not allow_untrusted_key:
            self._check_signature(package)
        devices = [row.id for row in self._store.devices(group)]
        if not devices:
            raise FleetError(f"The group {group} has no boards yet. `fleet device add NAME --group {group}` adds one.", USAGE)
        unchanged = [] if again else [name for name in devices if self._has(name, package.digest)]
        wanted = [name for name in devices if name not in unchanged]
        number = self._start(package, group, timeout_s, wanted) if wanted else None
        return {"rollout": number, "unchanged": unchanged}

    def distrust(self, package):
        """Why boards would not trust the signature of a `deploy.Package`, as a sentence, or None."""
        try:
            self._check_signature(package)
        except FleetError as error:
            return error.sentence
        return None

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

    def _has(self, device, digest):
        """Whether the board was told to run this very release, under the current keys, and that order is still the newest."""
        target = self._store.latest_target(device)
        if target is not None and target.state == rollout.QUEUED:
            return self._store.rollout(target.rollout).module == digest
        desired = self._store.desired(device)
        return desired is not None and desired.module == digest and desired.key_list == self._store.key_list().version

    def _start(self, package, group, timeout_s, devices):
        store, manifest = self._store, package.manifest
        with store.write():
            payload = store.put_blob(package.payload, "payload")
            digest = store.put_blob(package.envelope, "manifest")
            store.put_module(
                Module(
                    digest=digest,
                    size=len(package.envelope),
                    name=manifest.name,
                    version=manifest.version,
                    payload=payload,
                    payload_size=len(package.payload),
                    kid=package.kid,
                    capabilities=list(manifest.capabilities),
                    created=time.time(),
                )
            )
            row = Rollout(module=digest, group=group, window_s=deploy.DEFAULT_WINDOW_S, timeout_s=timeout_s, actor=self.actor, created=time.time())
            number = store.add_rollout(row, [devices])
            store.audit(self.actor, "push", f"{manifest.name} {manifest.version}", group)
        return number

    def rollout(self, number):
        """{"id", "state", "targets": [{"device", "state", "reason", "detail", "progress", "online", "final"}]}."""
        row = self._store.rollout(number)
        if row is None:
            raise Missing(f"There is no rollout {number}.")
        online = {device.id: device.state in rollout.ONLINE_STATES for device in self._store.devices()}
        targets = [_target(target, online.get(target.device, False)) for target in self._store.targets(number)]
        return {"id": number, "state": row.state, "group": row.group, "targets": targets}

    def latest(self, device):
        """The board's place in its newest rollout as in `rollout`, or None."""
        target = self._store.latest_target(device)
        return _target(target, False) if target else None


def _target(row, online):
    return {
        "device": row.device,
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "progress": row.progress,
        "online": online,
        "final": row.state in rollout.FINAL,
    }
