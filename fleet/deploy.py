"""From a .wasm file to what boards accept: inspected, described, signed; and from there to one board's orders."""

import io
import os
import ssl
import time
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from fleet import documents, quick
from fleet.errors import SIGNATURE, USAGE, FleetError
from fleet.model import Deployment
from fleet.signing import seal_manifest
from mpwasm.errors import Invalid, Malformed, Refused
from mpwasm.wire import cbor, desired, envelope, mac, topics
from mpwasm.wire.manifest import Manifest

DEFAULT_WINDOW_S = 0

# Import module -> prefix of the capability that it needs.
_NEEDS = {"gpio": "gpio:", "adc": "adc:", "telemetry": "telemetry:"}

# Names in manifest.toml that go into the manifest as they are.
_SETTINGS = (
    "name", "version", "memory", "fuel", "capabilities", "entry", "config", "confirm_s", "tries", "expiry", "counter", "share", "slot", "native",
    "busy_ms",
)  # fmt: skip


@dataclass(frozen=True)
class Package:
    """A signed module, ready to be uploaded: `envelope` and `payload` are blobs, `manifest` says what is in them."""

    manifest: Manifest
    envelope: bytes
    payload: bytes
    kid: str

    @property
    def digest(self):
        """The SHA-256 of the envelope in hex: the name of this very release."""
        return sha256(self.envelope).hexdigest()


@dataclass
class Inspection:
    """What a .wasm file says of itself: its imports as (module, name) and the bytes of memory it starts with."""

    imports: list = field(default_factory=list)
    memory: int = 0


def read_settings(path):
    """The table of manifest.toml beside the wasm at `path`; {} if there is none."""
    beside = path.with_name("manifest.toml")
    try:
        return tomllib.loads(beside.read_text())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FleetError(f"{beside} is not valid TOML: {error}. Mend it and push again.") from error


def inspect(payload, name):
    """Validate the module `payload` as a board would; FleetError naming the fault."""
    from mpwasm.wasm.load import load_module

    try:
        module = load_module(io.BytesIO(payload))
    except Malformed as error:
        raise FleetError(f"{name} is not a WebAssembly module: {_fault(error)}. Nothing was pushed.") from error
    except Invalid as error:
        raise FleetError(f"{name} does not validate: {_fault(error)}. Boards would refuse it, so nothing was pushed.") from error
    return Inspection([(row[0], row[1]) for row in module.imports], _memory(module))


def _fault(error):
    from mpwasm import explain

    return explain.explain(error)


def _memory(module):
    limits = getattr(module, "memory", None)
    return limits[0] * limits[2] if limits else 0


def _check_needs(found, capabilities, name):
    for blank in capabilities:
        if "<" in blank:
            raise FleetError(f"manifest.toml of {name} grants {blank}: say which, as gpio:15, or all, as gpio:*.")
    for module, _ in found.imports:
        need = _NEEDS.get(module)
        if need and not any(granted.startswith(need) for granted in capabilities):
            raise FleetError(f"{name} imports {module}, but its manifest.toml names no capability {need}…. Add it to `capabilities`.")


def _check_pin(settings, payload, name):
    """A manifest.toml may pin the module's SHA-256; another file is not pushed."""
    pinned = settings.get("sha256")
    if pinned and pinned != sha256(payload).hexdigest():
        raise FleetError(f"{name} is not the file that manifest.toml describes: its SHA-256 differs. Build it again or correct `sha256`.", SIGNATURE)


def make_manifest(path, groups, name=None, version=None, native=None):
    """(Manifest, payload bytes) for the wasm at `path`, for boards of `groups`; options go before manifest.toml, which goes before defaults."""
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise FleetError(f"{path} cannot be read: {error.strerror}.") from error
    settings = read_settings(path)
    _check_pin(settings, payload, path.name)
    unknown = sorted(set(settings) - {*_SETTINGS, "sha256"})
    if unknown:
        raise FleetError(f"manifest.toml of {path.name} has an unknown `{unknown[0]}`. It may have: {', '.join(_SETTINGS)}, sha256.")
    found = inspect(payload, path.name)
    fields = {"name": path.stem, "version": "0", **{key: settings[key] for key in _SETTINGS if key in settings}}
    fields.setdefault("memory", found.memory)
    fields.update({key: value for key, value in (("name", name), ("version", version), ("native", native)) if value is not None})
    manifest = Manifest(digest=sha256(payload).digest(), size=len(payload), groups=sorted(groups), **fields)
    try:
        manifest.encode()
    except ValueError as error:
        raise FleetError(f"manifest.toml of {path.name} has no usable `{error.args[0]}`. docs/manifest.md says what it may be.") from error
    _check_needs(found, manifest.capabilities, path.name)
    return manifest, payload


def package(manifest, payload, key):
    """Sign: the `Package` of a manifest and its payload under `key` (a `fleet.signing.SigningKey`)."""
    return Package(manifest, seal_manifest(manifest, key), payload, key.kid.hex())


def belongs(manifest, payload):
    """Whether `payload` is what the manifest was made for: a module's bytes with its images, or an agent."""
    from fleet import agents, ahead

    if manifest.kind != "agent":
        return len(manifest.images) % ahead.ROW_BYTES == 0 and ahead.split(manifest, payload) is not None
    agents.check(payload)
    return manifest.digest == sha256(payload).digest() and manifest.size == len(payload)


def read_package(sealed, payload):
    """The `Package` in a signed envelope and the payload's bytes that others made; FleetError if they are not one."""
    try:
        opened = envelope.open_envelope(sealed)
        manifest = Manifest.parse(opened.body)
    except Refused as refusal:
        raise FleetError(f"This is not a signed manifest ({refusal.reason}). `fleet sign` makes one.", USAGE) from refusal
    if not belongs(manifest, payload):
        raise FleetError("The module is not the one that the manifest was signed for: its SHA-256 or its size differs.", SIGNATURE)
    return Package(manifest, bytes(sealed), bytes(payload), opened.kid.hex())


def check_trust(key_list, key, manifest):
    """FleetError (exit code 6) if boards under `key_list` would not accept `manifest` signed by `key`."""
    for group in manifest.groups:
        try:
            key_list.find(key.kid, manifest.kind, group).allow(manifest)
        except Refused as refusal:
            raise FleetError(_distrust(refusal, key), SIGNATURE) from refusal


def _distrust(refusal, key):
    if refusal.reason == "key-scope":
        return f"The signing key {key.kid.hex()} may not sign {refusal.detail}. Sign with a key of that scope: `fleet key list` shows them."
    if refusal.reason == "revoked-key":
        return f"The signing key {key.kid.hex()} was revoked. Sign with another: `fleet key list` shows them."
    return f"The signing key {key.kid.hex()} is not one of this fleet's keys, so every board would refuse it. `fleet key list` shows the keys."


@dataclass(frozen=True)
class Order:
    """What one board is to run: the digest of a `Module`, "" for nothing; the rollout's id, and the seconds it may spread its start over."""

    device: str
    module: str
    rollout: int
    window_s: int = DEFAULT_WINDOW_S


def assign(store, device, module, rollout, now=None):
    """Give `device` (id) the order to run `module` (a `Module` row): a new `Deployment`, stored and returned."""
    return assign_all(store, [Order(device, module.digest, rollout.id, rollout.window_s)], now)[0]


def assign_all(store, orders, now=None):
    """Give boards their orders: new `Deployment`s, stored and returned. Call it within `store.write`.

    seq = max(last + 1, reported + 1): a database restored from a backup overtakes what its boards have seen.
    """
    now = time.time() if now is None else now
    keys = store.key_list()
    made = documents.make_all(store, orders, keys)
    digests = {document: store.put_blob(document, "document") for document in set(made)}
    last = store.last_seqs([order.device for order in orders])
    deployments = [
        Deployment(
            device=order.device,
            seq=last.get(order.device, 0) + 1,
            rollout=order.rollout,
            module=order.module,
            document=digests[document],
            document_size=len(document),
            key_list=keys.version,
            window_s=order.window_s,
            nonce=os.urandom(8),
            created=now,
            refreshed=now,
        )
        for order, document in zip(orders, made)
    ]
    store.add_deployments(deployments)
    return deployments


def pointer_message(deployment, device_key):
    """(topic, payload) of the retained `desired` message for a `Deployment`, authenticated with the board's key K."""
    topic = topics.topic(deployment.device, "desired")
    pointer = desired.Pointer(deployment.seq, bytes.fromhex(deployment.document), deployment.document_size, deployment.window_s, deployment.nonce)
    return topic, quick.seal_mac(mac.derive(device_key, b"desired"), topic, pointer.encode())


def identity(device, device_key, root_public, broker, wifi=(None, None)):
    """The bytes of a board's /cfg/identity.cbor; `device` is its row, `broker` the settings' table, `wifi` (ssid, password) or Nones."""
    secure = speaks_tls(device, broker)
    port = broker["port"] if secure or not broker["tls_cert"] else broker["plain_port"]
    fields = [device.id, device_key, root_public, device.home_group, broker["host"], port, list(device.capabilities)]
    fields += [*wifi, secure and authority(broker)]
    return cbor.encode(dict(enumerate(fields, 1)))


def speaks_tls(device, broker):
    """Whether a board (a row with `id` and `plain`) is told to use TLS; FleetError if it is to do without and there is no port for that."""
    if device.plain and broker["tls_cert"]:
        need_plain_port(broker, device.id)
    return bool(broker["tls_cert"]) and not device.plain


def need_plain_port(broker, names):
    """FleetError unless the broker has a port without TLS beside the one with it."""
    if not (broker["tls_cert"] and broker["plain_port"]):
        raise FleetError(
            f"{names} cannot be told to do without TLS: the broker has no further port for that beside one with TLS. Set `plain_port` under [broker] "
            "in fleet.toml and start `fleet up` again, or leave --plain away.",
            USAGE,
        )


def authority(broker):
    """The certificate (DER) that boards pin, of `tls_ca`. FleetError if the file is none."""
    try:
        return ssl.PEM_cert_to_DER_cert(Path(broker["tls_ca"]).read_text())
    except (OSError, ValueError) as error:
        raise FleetError(f"`tls_ca` in fleet.toml, {broker['tls_ca'] or 'which is empty'}, is no PEM certificate that boards could trust.") from error
