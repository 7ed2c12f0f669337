"""Who may talk to the broker: password lines in mosquitto's format, and the rule who may use which topic.

A line is ``user:$7$iterations$base64 salt$base64 hash`` with PBKDF2-HMAC-SHA-512 (RFC 8018), as mosquitto_passwd writes it.
All passwords here are 256 random bits, so a few iterations do.
"""

import base64
import hashlib
import hmac
import os

SERVICE_USER = "fleet-service"
# A user each for services side by side: the broker lets in one connection per user.
SERVICE_USERS = (SERVICE_USER, *(f"{SERVICE_USER}-{number}" for number in range(2, 9)))

ITERATIONS = 101
_SALT_BYTES = 12
_HASH_BYTES = 64

ACL = (
    "# Written by the fleet manager: a board uses its own topics, and nothing else.\n"
    + "".join(f"user {user}\ntopic readwrite f/1/#\n\n" for user in SERVICE_USERS)
    + "pattern readwrite f/1/%u/#\n"
)


def password_line(user, password, salt=None):
    """The line for `user` with `password` (str); `salt` is 12 random bytes unless given."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    digest = _hash(password, salt, ITERATIONS)
    return f"{user}:$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _hash(password, salt, iterations):
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)


def read_lines(text):
    """{user: (iterations, salt, hash)} of a password file."""
    found = {}
    for line in text.splitlines():
        user, _, rest = line.partition(":")
        _, _, iterations, salt, digest = rest.split("$")
        found[user] = int(iterations), base64.b64decode(salt), base64.b64decode(digest)
    return found


def matches(entry, password):
    """Whether `password` (str) is the one of an entry of `read_lines`."""
    iterations, salt, digest = entry
    return hmac.compare_digest(_hash(password, salt, iterations), digest)


def may_use(user, topic):
    """Whether `user` may publish to or subscribe to `topic` (a name or a filter): boards below f/1/<user>/ only."""
    own = "f/1/" if user in SERVICE_USERS else f"f/1/{user}/"
    return topic.startswith(own)
