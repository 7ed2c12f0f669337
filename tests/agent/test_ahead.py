"""Machine code that was made ahead becomes the board's image if it is what was signed, for this port and engine; else the board does without."""

import struct
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from fleet import ahead as host
from mpwasm.agent import ahead, images, making
from mpwasm.agent.store import Store
from mpwasm.native.container import ENGINE
from mpwasm.wasm.load import load_module
from mpwasm.wire.manifest import Manifest
from tests.agent.test_images import run
from tests.fakes.engine import program
from tests.fakes.fleet import wait

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "wasm_modules").glob("*/*.wasm"))
TARGET = (4, 3)
DEVICE_KEY = b"k" * 32
MODULE = program("log new", "sleep 50", "again")
CONTENT = struct.pack("<III", 0, 16, 65536) + b"M\x06\x13\x1f" + bytes(range(256)) * 9
BLOB = b"\x0cwasi.devices" + CONTENT


def row(blob=BLOB, engine=ENGINE, target=TARGET):
    """What a manifest says of an image."""
    return bytes((*target, engine, 0)) + struct.pack("<I", len(blob)) + sha256(blob).digest()


@pytest.fixture
def cortex(monkeypatch):
    """The board's port takes ARMv6-M code, as far as fetching goes; here it is then run by the fake engine."""
    monkeypatch.setattr(ahead, "targets", SimpleNamespace(target=lambda: TARGET))


def kept(root, key, digest=None):
    """(window, bytes) of the image on flash, or None."""
    window, file = images.opened(Store(str(root), key), digest or sha256(MODULE).digest(), TARGET)
    if file is None:
        return None
    with file:
        return window, file.read()


def test_the_board_keeps_what_fits_it_and_nothing_else(cortex, online, fleet):
    other = b"\0" + bytes(500)
    fleet.add(BLOB)
    seq = fleet.push(MODULE, images=row(other, target=(10, 3)) + row())
    wait(lambda: fleet.said("confirmed", seq=seq))
    assert kept(online.root, fleet.device_key) == ((0, 16, 65536), CONTENT[12:])
    assert (online.root / "state" / "parts").read_bytes() == b"wasi.devices"
    assert sorted(path.suffix for path in (online.root / "state").iterdir() if path.suffix in (".part", ".map", ".tmp")) == []


def test_another_engines_image_is_not_fetched(cortex, online, fleet):
    seq = fleet.push(MODULE, images=row(engine=ENGINE + 1))  # the blob is not even there
    wait(lambda: fleet.said("confirmed", seq=seq))
    assert kept(online.root, fleet.device_key) is None


def test_an_altered_image_is_done_without(cortex, online, fleet):
    fleet.blobs[sha256(BLOB).digest()] = BLOB[:-1] + b"\0"
    seq = fleet.push(MODULE, images=row())
    wait(lambda: fleet.said("confirmed", seq=seq))
    assert kept(online.root, fleet.device_key) is None


class Here:
    """A download that is there at once: `data`, or never, if that is None."""

    def __init__(self, store, data):
        self.store, self.data, self.asked = store, data, 0

    def payload(self, digest, _size, _clock, _progress):
        """As `tasks.Blocks.payload`."""
        self.asked += 1
        yield 0
        if self.data is not None:
            Path(self.store.path(digest) + ".part").write_bytes(self.data)
        return self.data is not None


def bring(store, data, blob=BLOB):
    """(What `ahead.bring` returns, how often it fetched) when `data` comes."""
    blocks = Here(store, data)
    made = Manifest(name="n", version="1", digest=sha256(MODULE).digest(), size=len(MODULE), images=row(blob))
    return run(ahead.bring(made, store, blocks, int, None))[1], blocks.asked


def test_only_what_was_signed_is_sealed(cortex, tmp_path):
    store = Store(str(tmp_path), DEVICE_KEY)
    bad = [BLOB[:at] + bytes((BLOB[at] ^ 1,)) + BLOB[at + 1 :] for at in range(0, len(BLOB), 7)] + [b"", b"\xff", BLOB[:-1], BLOB + b"\0"]
    assert [data for data in bad if bring(store, data) != (True, 2) or kept(tmp_path, DEVICE_KEY)] == []
    assert list(Path(store.dir).iterdir()) == []
    assert bring(store, None) == (False, 1)
    assert bring(store, BLOB) == (True, 1) and kept(tmp_path, DEVICE_KEY) is not None
    assert bring(store, None) == (True, 0)  # it is there


def test_a_chip_with_an_fpu_takes_code_for_those_without(monkeypatch, tmp_path):
    monkeypatch.setattr(ahead, "targets", SimpleNamespace(target=lambda: (74, 3)))
    store, blocks = Store(str(tmp_path), DEVICE_KEY), Here(None, BLOB)
    blocks.store = store
    other = b"\x00" + CONTENT[::-1]
    for rows in (row(target=(10, 3)), row(other, target=(10, 3)) + row(target=(74, 3))):
        made = Manifest(name="n", version="1", digest=sha256(MODULE).digest(), size=len(MODULE), images=rows)
        run(ahead.bring(made, store, blocks, int, None))
        window, file = images.opened(store, sha256(MODULE).digest(), (74, 3))
        with file:
            assert file.read() == CONTENT[12:]
        Path(images.path(store, sha256(MODULE).digest())).unlink()


def test_without_the_hash_anything_would_be_sealed(cortex, tmp_path, monkeypatch):
    digest = sha256(BLOB).digest()
    monkeypatch.setattr(ahead, "sha256", lambda _data: SimpleNamespace(update=lambda _data: None, digest=lambda: digest))
    assert ahead.keep(_with_part(tmp_path, BLOB[:-1] + b"\0"), sha256(MODULE).digest(), TARGET, digest)


def _with_part(folder, data):
    store = Store(str(folder), DEVICE_KEY)
    Path(store.path(sha256(BLOB).digest()) + ".part").write_bytes(data)
    return store


def test_what_a_power_cut_left_is_written_over(cortex, tmp_path):
    store = _with_part(tmp_path, BLOB[:100])
    Path(images.path(store, sha256(MODULE).digest()) + ".tmp").write_bytes(b"half an image")
    assert bring(store, BLOB) == (True, 1) and kept(tmp_path, DEVICE_KEY) == ((0, 16, 65536), CONTENT[12:])


def test_where_flash_is_short_the_board_does_without(cortex, tmp_path, monkeypatch):
    store = Store(str(tmp_path), DEVICE_KEY)
    monkeypatch.setattr(store, "free_bytes", lambda: 2 * len(BLOB))
    assert bring(store, BLOB) == (True, 0)


@pytest.mark.parametrize("architecture", sorted(host.NAMES), ids=host.NAMES.get)
@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_hosts_image_is_the_boards(tmp_path, path, architecture):
    """What `fleet push --aot` sends, once the board has sealed it, is the very file that the board would have made."""
    payload, target = path.read_bytes(), (architecture, 3)
    digest = sha256(payload).digest()
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    own, fetched = (Store(str(tmp_path / name), DEVICE_KEY) for name in ("one", "other"))
    with path.open("rb", buffering=0) as file:
        assert run(making.image(own, digest, load_module(file), target))[1] == ""
    blob = host.compiled(payload, architecture)
    Path(fetched.path(sha256(blob).digest()) + ".part").write_bytes(blob)
    assert ahead.keep(fetched, digest, target, sha256(blob).digest())
    assert Path(images.path(own, digest)).read_bytes() == Path(images.path(fetched, digest)).read_bytes()
    assert Path(own.dir + "parts").read_bytes() == Path(fetched.dir + "parts").read_bytes()


def test_the_engine_is_the_compilers():
    assert ahead._ENGINE == ENGINE
