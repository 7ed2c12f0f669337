"""Keeps the boards' keys encrypted in the database, with a key file that lies beside it."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fleet.errors import FleetError
from fleet.home import write_secret

_NONCE_BYTES = 12


class Vault:
    """AES-256-GCM (NIST SP 800-38D) with the board's id as associated data, so that rows cannot be swapped."""

    def __init__(self, key):
        self._cipher = AESGCM(key)

    @classmethod
    def create(cls, path):
        """Make a key file at `path`."""
        write_secret(Path(path), AESGCM.generate_key(256))
        return cls.open(path)

    @classmethod
    def open(cls, path):
        """Read the key file at `path`; FleetError if it is missing or has another length."""
        try:
            return cls(Path(path).read_bytes())
        except FileNotFoundError as error:
            raise FleetError(f"The key file {path} is missing. Restore it from a backup: without it no board can be told anything.") from error
        except ValueError as error:
            raise FleetError(f"The key file {path} is damaged. Restore it from a backup.") from error

    def seal(self, device, secret):
        """Encrypt `secret` (bytes) for `device`; returns nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, device.encode())

    def unseal(self, device, sealed):
        """The secret of `device`; FleetError if the key file is another one or the row was altered."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], device.encode())
        except InvalidTag as error:
            raise FleetError(f"The key of board {device} cannot be decrypted: the key file does not belong to this database.") from error
