"""Ed25519 keys of the fleet: made, kept as encrypted PEM files, and used to sign manifests and the list of keys."""

import os
import time
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fleet.errors import SIGNATURE, FleetError
from fleet.home import write_secret
from mpwasm.errors import Refused
from mpwasm.wire import envelope, keys

PASSPHRASE = "WASMFLEET_PASSPHRASE"
ALL_SCOPES = ("kind:wasm", "group:*", "cap:*")


class SigningKey:
    """A private key in memory: `public` is 32 bytes, `kid` its 8-byte id."""

    def __init__(self, private):
        self._private = private
        self.public = private.public_key().public_bytes_raw()
        self.kid = sha256(self.public).digest()[:8]

    @classmethod
    def generate(cls):
        """A new key from the system's random numbers."""
        return cls(Ed25519PrivateKey.generate())

    def sign(self, message):
        """The 64-byte signature over `message` (RFC 8032, pure Ed25519)."""
        return self._private.sign(message)

    def pem(self, passphrase):
        """PKCS #8 PEM bytes (RFC 5958), encrypted with `passphrase` (bytes) unless that is None."""
        how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self._private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)

    def save(self, path, passphrase):
        """Write the PEM file (mode 0600)."""
        write_secret(path, self.pem(passphrase))

    @classmethod
    def load(cls, path, passphrase=None):
        """Read a PEM file; `passphrase()` is called for the bytes if it is encrypted. FleetError (exit code 6) if it can't be used."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FleetError(f"The signing key {path} cannot be read: {error.strerror}. Name another with --key.", SIGNATURE) from error
        secret = passphrase() if passphrase and b"ENCRYPTED" in data else None
        try:
            private = serialization.load_pem_private_key(data, secret)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise FleetError(f"The signing key {path} cannot be opened: wrong passphrase, or not a PEM private key.", SIGNATURE) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise FleetError(f"The signing key {path} is not an Ed25519 key.", SIGNATURE)
        return cls(private)


def public_pem(public):
    """A public key (32 bytes) as PEM text (RFC 8410)."""
    how = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return Ed25519PublicKey.from_public_bytes(public).public_bytes(*how).decode()


def read_public(path):
    """The 32 bytes of the public key in a PEM file; FleetError (exit code 6) if it is none."""
    try:
        public = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise FleetError(f"The public key {path} cannot be read: {error.strerror}.", SIGNATURE) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise FleetError(f"{path} is no PEM public key: `fleet key generate` writes one.", SIGNATURE) from error
    if not isinstance(public, Ed25519PublicKey):
        raise FleetError(f"The key in {path} is not an Ed25519 key.", SIGNATURE)
    return public.public_bytes_raw()


def read_unsigned(path):
    """The `mpwasm.wire.keys.KeyList` in a file that --unsigned wrote; FleetError (exit code 6) if it is none."""
    try:
        return keys.KeyList.parse(path.read_bytes())
    except OSError as error:
        raise FleetError(f"{path} cannot be read: {error.strerror}.", SIGNATURE) from error
    except Refused as refusal:
        raise FleetError(f"{path} is no unsigned list of keys ({refusal.detail}): `fleet key … --unsigned FILE` writes one.", SIGNATURE) from refusal


def verifies(public, signature, message):
    """Whether `signature` (64 bytes) over `message` is by the key `public` (32 bytes)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def passphrase_from_environment():
    """The passphrase in $WASMFLEET_PASSPHRASE as bytes, or None."""
    return os.environ.get(PASSPHRASE, "").encode() or None


def build_key_list(root, version, entries, revoked=(), floors=None, created=None):
    """The signed list of release keys as a blob.

    `entries` is [(public 32 bytes, [scopes], name)], `revoked` 8-byte kids, `floors` {module name: counter}.
    """
    listed = [keys.Key(kid=sha256(public).digest()[:8], public=public, scopes=list(scopes), name=name) for public, scopes, name in entries]
    created = int(time.time()) if created is None else created
    body = keys.KeyList(version=version, keys=listed, revoked=list(revoked), created=created, floors=dict(floors or {})).encode()
    return envelope.seal(body, root.kid, envelope.AAD_KEYS, root.sign)


def read_key_list(blob):
    """The `mpwasm.wire.keys.KeyList` in a blob of this fleet's own store."""
    return keys.KeyList.parse(envelope.open_envelope(blob).body)


def seal_manifest(manifest, key):
    """The signed envelope of a `mpwasm.wire.manifest.Manifest` as a blob; `key` is a `SigningKey`."""
    return envelope.seal(manifest.encode(), key.kid, envelope.AAD_MANIFEST, key.sign)
