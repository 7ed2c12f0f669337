"""What the next list of release keys says: each function takes a `mpwasm.wire.keys.KeyList` and gives the one that follows it, not signed yet."""

import time

from fleet.errors import SIGNATURE, FleetError
from fleet.signing import verifies
from mpwasm.errors import Refused
from mpwasm.wire import envelope, keys

MAX_KEYS, MAX_LINKS = 16, 8
SCOPES = ("kind:", "group:", "cap:")


def scopes(agent=False, groups=(), capabilities=()):
    """The scopes of a key for modules, or for the agent only; no groups or capabilities named means all of them."""
    kind = "kind:agent" if agent else "kind:wasm"
    return [kind, *(f"group:{name}" for name in groups or ("*",)), *(f"cap:{name}" for name in capabilities or ("*",))]


def find(listed, name):
    """The `Key` that `name` (name, id or the beginning of one) means; FleetError if none or several do."""
    found = [key for key in listed.keys if key.name == name] or [key for key in listed.keys if key.kid.hex().startswith(name)]
    if len(found) != 1:
        raise FleetError(f"{name} names {'no' if not found else 'more than one'} key of the list. `fleet key list` shows them.")
    return found[0]


def _next(listed, **changes):
    """The list after `listed`, with these fields changed."""
    fields = {row[1]: getattr(listed, row[1]) for row in listed.ROWS}
    fields.update(version=listed.version + 1, created=max(int(time.time()), listed.created), **changes)
    made = keys.KeyList(**fields)
    try:
        made.encode()
    except ValueError as error:
        raise FleetError(f"The list of keys cannot hold this ({error.args[0]}): it has room for {MAX_KEYS} keys and 64 revoked ones.") from error
    return made


def added(listed, public, allowed, name):
    """With the key `public` (32 bytes), which may sign what the scopes `allowed` say."""
    kid = envelope.kid_of(public)
    if any(key.name == name or key.kid == kid for key in listed.keys):
        raise FleetError(f"There is a key {name} already. `fleet key rotate {name}` makes a new one for it.")
    if kid in listed.revoked:
        raise FleetError(f"The key {kid.hex()} was revoked: it never comes back. Make another with `fleet key generate`.")
    return _next(listed, keys=[*listed.keys, keys.Key(kid=kid, public=public, scopes=list(allowed), name=name)])


def removed(listed, key, revoke=False, stop=False):
    """Without `key`: it signs nothing new. With `revoke` for ever; with `stop` what it signed stops on the boards, too."""
    changes = {"keys": [each for each in listed.keys if each.kid != key.kid]}
    if revoke or stop:
        changes["revoked"] = [*listed.revoked, key.kid]
    if stop:
        changes["stopped"] = [*listed.stopped, key.kid]
    return _next(listed, **changes)


def rotated(listed, key, public, revoke=False, stop=False):
    """With the key `public` in the place of `key`: same name, same scopes, one version on."""
    gone = removed(listed, key, revoke, stop)
    made = added(gone, public, key.scopes, key.name)
    made.version = listed.version + 1
    return made


def linked(listed, old, new):
    """The same list with the step from the root `old` to `new` (`signing.SigningKey`s), signed by the old one; to be signed by the new one."""
    link = keys.Link(old=old.kid, public=new.public, signature=old.sign(keys.link_message(new.public)))
    listed.links = [*listed.links, link][-MAX_LINKS:]
    return listed


def next_version(listed):
    """The same keys, one version on."""
    return _next(listed)


def seal(listed, root):
    """The list, signed by `root` (a `signing.SigningKey`), as a blob."""
    return envelope.seal(listed.encode(), root.kid, envelope.AAD_KEYS, root.sign)


def check(blob, root, version):
    """(KeyList, root public key that signed it) of a blob, as a board would take it whose root key is `root` and whose list has `version`.

    FleetError (exit code 6) with the reason if it would not.
    """
    try:
        opened = envelope.open_envelope(blob)
        listed = keys.KeyList.parse(opened.body)
        steps = keys.proofs(root, opened)
    except Refused as refusal:
        raise FleetError(f"This is no list of keys that the fleet's root key vouches for ({refusal.reason}).", SIGNATURE) from refusal
    if not all(verifies(*step) for step in steps):
        raise FleetError("A signature on the list of keys is wrong: it was altered, or signed by another root key.", SIGNATURE)
    if listed.version <= version:
        raise FleetError(f"The list has version {listed.version}, the fleet has {version} already. Make it again from what is there now.", SIGNATURE)
    return listed, steps[-1][0]
