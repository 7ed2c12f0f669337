"""Tokens for the HTTP API: 256 random bits, kept as a SHA-256 only, each with a name and a role that says what it may do."""

import re
import secrets
from hashlib import sha256

from fleet.errors import USAGE, FleetError

PREFIX = "fleet_"
# Each role may do all that those before it may.
ROLES = ("viewer", "operator", "admin")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def new_secret():
    """A new token: what its holder shows."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret):
    """What the store keeps of a token. It needs no salt and no slow hash: nobody guesses 256 bits."""
    return sha256(secret.encode()).hexdigest()


def may(role, needed):
    """Whether a holder of `role` may do what needs the role `needed`."""
    return ROLES.index(role) >= ROLES.index(needed)


def check_name(name, what):
    """FleetError (usage) if `name` can't name a `what`."""
    if not _NAME.fullmatch(name):
        raise FleetError(f"{name!r} cannot name a {what}: use 1 to 64 letters, digits and . _ @ -, a letter or digit first.", USAGE)


def check(name, role):
    """FleetError (usage) if `name` can't name a token or `role` is none."""
    check_name(name, "token")
    if role not in ROLES:
        raise FleetError(f"There is no role {role}: use {', '.join(ROLES)}.", USAGE)
