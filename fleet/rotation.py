"""New keys in the place of old ones, with their files: what `fleet key rotate` prepares before the list is signed."""

import os

from fleet import trust
from fleet.errors import USAGE, FleetError
from fleet.signing import SigningKey


def of_release(context, name, revoke, stop, public, new_passphrase):
    """(list, None, what to do once it is published) for the release key `name`; `public` is a new one made elsewhere, or None."""
    listed = context.client.key_list()
    key = trust.find(listed, name)
    if public:
        return trust.rotated(listed, key, public, revoke, stop), None, _nothing
    path = context.home.keys / f"{key.name}.key"
    made, done = _replacement(path, key.kid, new_passphrase)
    return trust.rotated(listed, key, made.public, revoke, stop), None, done


def of_root(context, public, root_key, unsigned, new_passphrase):
    """(list, the new root that signs it, what to do once it is published) for the root key."""
    from fleet.commands.push import load_key

    if public:
        raise FleetError("The root key is rotated where its private half is: --unsigned here, `fleet key sign --new-root` there.", USAGE)
    listed = context.client.key_list()
    if unsigned:
        return trust.next_version(listed), None, _nothing
    path = root_key or context.home.root_key
    old = load_key(path)
    made, done = _replacement(path, old.kid, new_passphrase)
    return trust.linked(trust.next_version(listed), old, made), made, done


def _replacement(path, old_kid, new_passphrase):
    """A new key, saved beside `path`; and the function that puts it there, keeping the old one under its id."""
    made = SigningKey.generate()
    waiting = path.with_name(path.name + ".next")
    made.save(waiting, new_passphrase(path))

    def done():
        if path.exists():
            os.replace(path, path.with_name(f"{path.stem}-{old_kid.hex()}.key"))
        os.replace(waiting, path)

    return made, done


def _nothing():
    """No file of ours changes."""
