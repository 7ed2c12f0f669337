"""Flash: what is read was hashed or sealed, what was cut short or altered does not count, downloads resume."""

import os
from hashlib import sha256

from mpwasm.agent.store import Store, exists, name_of

try:
    from tempfile import mkdtemp

    ROOT = mkdtemp()
except ImportError:
    ROOT = "store-test"  # the VM's flash is new for every file

KEY = bytes(range(32))


def fresh():
    """A store in an empty folder."""
    for name in os.listdir(ROOT + "/state") if exists(ROOT + "/state") else []:
        os.remove(ROOT + "/state/" + name)
    if not exists(ROOT):
        os.mkdir(ROOT)
    return Store(ROOT, KEY)


def alter(name, old, new):
    path = ROOT + "/state/" + name
    with open(path, "rb") as file:
        data = file.read()
    assert old in data
    with open(path, "wb") as file:
        file.write(data.replace(old, new))


def test_journal_is_sealed():
    store = fresh()
    assert store.journal() is None and not store.journal_lost()
    store.save(b"state one")
    store.save(b"state two")
    assert Store(ROOT, KEY).journal() == b"state two"
    assert Store(ROOT, bytes(32)).journal() is None
    alter("journal", b"two", b"six")
    assert store.journal() is None and store.journal_lost()


def test_boots_count_and_forged_ones_begin_again():
    store = fresh()
    assert store.count_boot() == 1
    assert store.count_boot() == 2
    alter("boots", b"2", b"9")
    assert store.count_boot() == 1


def test_spec_belongs_to_its_manifest():
    store = fresh()
    one, two = sha256(b"1").digest(), sha256(b"2").digest()
    assert store.load_spec(one) is None
    store.save_spec(one, [b"digest", "name", ["gpio:15"], {"k": 1}])
    assert store.load_spec(one) == [b"digest", "name", ["gpio:15"], {"k": 1}]
    os.rename(ROOT + "/state/" + name_of(one) + ".spec", ROOT + "/state/" + name_of(two) + ".spec")
    assert store.load_spec(two) is None


def test_download_in_any_order_then_hashed():
    store = fresh()
    data = bytes([i & 255 for i in range(2500)])
    digest = sha256(data).digest()
    assert store.begin_part(digest) is None
    for at in (2048, 0, 1024):
        store.write_part(at, data[at : at + 1024])
    assert store.hash_payload(digest) == digest and not store.holds(digest)
    store.accept_part(digest)
    assert store.holds(digest) and store.hash_payload(digest) == digest
    alter(name_of(digest), b"\x07\x08\x09", b"\x07\xff\x09")
    assert not store.holds(digest)


def test_download_resumes_where_the_map_says():
    store = fresh()
    data = b"a" * 1024 + b"b" * 1024
    digest = sha256(data).digest()
    store.begin_part(digest)
    store.write_part(0, data[:1024])
    store.save_map(b"\x01")
    store.end_part()
    later = Store(ROOT, KEY)
    assert later.begin_part(digest) == b"\x01"
    later.write_part(1024, data[1024:])
    assert later.hash_payload(digest) == digest
    later.accept_part(digest)
    assert later.holds(digest) and not exists(later.path(digest) + ".map")


def test_discard_and_sweep():
    store = fresh()
    keep, drop, payload = sha256(b"keep").digest(), sha256(b"drop").digest(), sha256(b"payload").digest()
    store.save(b"journal")
    for key in (keep, drop):
        store.save_spec(key, [payload])
        store.begin_part(key)
        store.save_map(b"\0")
        store.end_part()
    store.discard_part(keep)
    for digest in (payload, drop):
        store.write(name_of(digest), b"content")
    assert not exists(store.path(keep) + ".part") and not exists(store.path(keep) + ".map")
    with open(ROOT + "/state/boots.tmp", "wb") as file:
        file.write(b"cut")
    store.sweep([keep])
    assert sorted(os.listdir(ROOT + "/state")) == sorted(["journal", name_of(keep) + ".spec", name_of(payload)])


def test_free_space_is_told():
    assert fresh().free_bytes() > 0
