"""What the command line can ask of a fleet: one interface, plain data in and out. `LocalClient` works on the database; HTTP comes later."""

import copy
import getpass
import os
import time
from decimal import Decimal
from hashlib import sha256

from fleet import deploy, rollout, signing, tokens
from fleet.errors import SIGNATURE, USAGE, FleetError, Missing, Taken
from fleet.home import Home
from fleet.model import AuditEvent, Device, Key, Module, Report, Rollout, Token
from fleet.store import Store, open_store
from fleet.vault import Vault
from mpwasm.errors import Refused
from mpwasm.wire import envelope, topics

SERVICE_ALIVE_S = 5.0
DEFAULT_CAPABILITIES = ("gpio:*", "adc:*", "telemetry:*", "clock", "random", "log", "args")


LINE_FIELDS = ("id", "device", "counter", "uptime_ms", "level", "text", "received")
READING_FIELDS = ("id", "device", "counter", "uptime_ms", "name", "value_int", "scale", "received")
TOKEN_FIELDS = ("name", "role", "created", "created_by", "expires", "used")
REPORT_FIELDS = tuple(name for name in Report.model_fields if name != "device")


def _fields(row, names):
    """A row as a dict, in this order."""
    return {name: getattr(row, name) for name in names}


def check_new(home):
    """Raise FleetError if there is a fleet in `home` already."""
    if home.exists:
        raise Taken(f"There is a fleet in {home.root} already. Remove that folder first if it is really to go.")


def init(home, passphrase, **broker):
    """Make a fleet in `home`: folders, settings, root and release key, database. Returns what was made, as plain data."""
    check_new(home)
    home.create(**broker)
    root, release = signing.SigningKey.generate(), signing.SigningKey.generate()
    root.save(home.root_key, passphrase)
    release.save(home.release_key, passphrase)
    Vault.create(home.key_file)
    store = Store(home.database_url())
    store.create()
    blob = signing.build_key_list(root, 1, [(release.public, signing.ALL_SCOPES, "release")])
    row = Key(kid=release.kid.hex(), name="release", public=release.public, scopes=list(signing.ALL_SCOPES), created=time.time())
    store.put_keys([row], 1, blob)
    store.put_setting("root", root.public.hex())
    store.audit(user(), "init", str(home.root))
    store.close()
    return {"home": str(home.root), "root": root.public.hex(), "release": release.kid.hex(), "encrypted": passphrase is not None}


def user():
    """The name that goes into the audit log for what this command does."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


class LocalClient:
    """The fleet in a `Home` of this machine, through its database."""

    def __init__(self, home, actor=None):
        self.home = home.require()
        self.actor = actor or user()
        self._store = open_store(home)

    def acting_as(self, actor):
        """A client on the same store whose acts the audit log puts down to `actor`."""
        other = copy.copy(self)
        other.actor = actor
        return other

    def close(self):
        """Close the database."""
        self._store.close()

    def devices(self, group=None):
        """[{"id", "groups", "state", "seen", "module", …}] of all boards, or of one group's."""
        store = self._store
        members, reports, components = store.memberships(), store.reports(), store.components()
        return [_board(row, members.get(row.id, []), reports.get(row.id), components.get(row.id, [])) for row in store.devices(group)]

    def device(self, name):
        """Like a row of `devices`, with its capabilities, report and what it should run."""
        row = self._store.device(name)
        report, desired = self._store.report(name), self._store.desired(name)
        module = self._store.module(desired.module) if desired else None
        board = _board(row, self._store.memberships().get(name, []), report, self._store.components().get(name, []))
        wanted = {"module": module.name, "version": module.version, "seq": desired.seq} if desired else None
        told = _fields(report, REPORT_FIELDS) if report else None
        return {**board, "capabilities": row.capabilities, "desired": wanted, "report": told}

    def add_device(self, name, group, capabilities=None):
        """Add a board with a new key; returns its row as `device` does."""
        _check_id(name, "board")
        _check_id(group, "group")
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
        _check_id(name, "group")
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

    def keys(self):
        """[{"kid", "name", "scopes", "revoked"}] of the release keys."""
        return [{"kid": key.kid, "name": key.name, "scopes": key.scopes, "revoked": key.revoked} for key in self._store.keys()]

    def root(self):
        """{"public", "fingerprint", "version"}: what boards trust, and the version of the list of keys it signed."""
        public = self._store.setting("root")
        return {"public": public, "fingerprint": sha256(bytes.fromhex(public)).hexdigest(), "version": self._store.key_list().version}

    def key_list(self):
        """The current list of release keys, as boards read it."""
        return signing.read_key_list(self._store.blob(self._store.key_list().digest))

    def service(self):
        """{"broker", "pid", "started"} of a running service, or None."""
        alive = self._store.live_services(SERVICE_ALIVE_S)
        return {"broker": alive[0].broker, "pid": alive[0].pid, "started": alive[0].started} if alive else None

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

    def _check_signature(self, package):
        """The service side trusts no caller: the envelope must verify under a key of this fleet."""
        opened = envelope.open_envelope(package.envelope)
        try:
            key = self.key_list().find(opened.kid, package.manifest.kind, package.manifest.groups[0])
        except Refused as refusal:
            raise FleetError(f"The module is not signed by a key of this fleet ({refusal.reason}). Nothing was pushed.", SIGNATURE) from refusal
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
            row = Rollout(
                module=digest, group=group, window_s=deploy.DEFAULT_WINDOW_S, timeout_s=timeout_s, actor=self.actor, created=time.time()
            )
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

    def logs(self, after, device=None, limit=1000):
        """[{"id", "device", "uptime_ms", "level", "text", "received"}] with ids above `after`."""
        return [_fields(row, LINE_FIELDS) for row in self._store.lines(after, device, limit)]

    def log_start(self, count, device=None):
        """The id after which the newest `count` lines come."""
        return self._store.last_line_ids(count, device) if count else self._store.newest_line()

    def readings(self, after=0, device=None, limit=1000):
        """[{"id", "device", "name", "value", …}] with ids above `after`."""
        rows = self._store.readings(after, device, limit)
        return [{**_fields(row, READING_FIELDS), "value": float(Decimal(row.value_int).scaleb(row.scale))} for row in rows]

    def tokens(self):
        """[{"name", "role", "created", "created_by", "expires", "used"}] of the HTTP API's tokens; the secrets are not kept."""
        return [_fields(row, TOKEN_FIELDS) for row in self._store.tokens()]

    def create_token(self, name, role, days=None):
        """Make a token that is void after `days` (None: never): like a row of `tokens`, with the "secret" that is shown this once."""
        tokens.check(name, role)
        secret, now = tokens.new_secret(), time.time()
        expires = None if days is None else now + days * 86400
        row = Token(name=name, digest=tokens.digest(secret), role=role, created_by=self.actor, created=now, expires=expires)
        made = {**_fields(row, TOKEN_FIELDS), "secret": secret}
        with self._store.write():
            self._store.add_token(row)
            self._store.audit(self.actor, "token create", name, role)
        return made

    def revoke_token(self, name):
        """Make a token void at once."""
        with self._store.write():
            self._store.remove_token(name)
            self._store.audit(self.actor, "token revoke", name)

    def holder(self, secret):
        """{"name", "role", …} of a valid token, or None."""
        row = self._store.token_of(tokens.digest(secret))
        return _fields(row, TOKEN_FIELDS) if row else None

    def audit_log(self, after=0, limit=1000):
        """[{"id", "actor", "action", "subject", "detail", "count", "created"}] with ids above `after`, oldest first."""
        return [_fields(row, tuple(AuditEvent.model_fields)) for row in self._store.audit_after(after, limit)]


def _check_id(name, what):
    if not topics.valid_device(name):
        raise FleetError(f"{name!r} cannot name a {what}: use 1 to 32 of a-z, 0-9 and -.", USAGE)


def _board(row, groups, report, components):
    main = next((part for part in components if part.slot == 0), None)
    return {
        "id": row.id,
        "groups": groups,
        "state": row.state,
        "seen": row.seen,
        "module": main.name if main else None,
        "version": main.version if main else None,
        "status": main.state if main else None,
        "reason": main.reason if main else None,
        "free_heap": report.free_heap if report else None,
        "port": report.port if report else None,
    }


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


def open_client(folder):
    """The client for the fleet in `folder`; FleetError if there is none."""
    return LocalClient(Home(folder))
