"""A cache file of machine code that was swapped, cut, altered, or made by another board or engine is not opened, and is removed to be made
again: nothing that the board's cache key did not seal ever reaches the firmware's loader."""

import struct
from pathlib import Path

import pytest

from mpwasm.agent import images, making
from mpwasm.agent.store import Store
from mpwasm.errors import Unlinkable
from mpwasm.wasm.load import load_module

TARGET = (4, 3)
ONE, OTHER = bytes(range(32)), bytes(range(1, 33))
WINDOW = (0, 100, 65536)
PARTS = (struct.pack("<III", *WINDOW), b"M\x06\x13\x1f head", bytes(1500), b"\0")


@pytest.fixture
def store(tmp_path):
    made = Store(str(tmp_path), b"k" * 32)
    images.write(made, ONE, TARGET, PARTS)
    return made


def opened(store, digest=ONE, target=TARGET):
    """What `images.opened` gives, read: (window, bytes), or None."""
    window, file = images.opened(store, digest, target)
    if file is None:
        return None
    with file:
        return window, file.read()


def test_an_image_comes_back(store):
    assert opened(store) == (WINDOW, b"".join(PARTS[1:]))
    assert opened(store, OTHER) is None


def attacks(data):
    """Every way to change the file: a bit of each byte, cut at each border, made longer, without its tag."""
    for at in range(len(data)):
        yield data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]
    for size in (0, 1, 31, 32, 43, 44, 45, len(data) - 1):
        yield data[:size]
    yield data + b"\0"
    yield bytes(32) + data[32:]


def passed(store):
    """How many of the attacks are opened."""
    path = images.path(store, ONE)
    with open(path, "rb") as file:
        data = file.read()
    found = 0
    for bad in attacks(data):
        with open(path, "wb") as file:
            file.write(bad)
        found += opened(store) is not None
    return found


def test_no_altered_image_is_opened(store):
    assert passed(store) == 0


def test_the_attacks_would_pass_without_the_tag(store, monkeypatch):
    monkeypatch.setattr(images, "opened", lambda store, digest, target: unsealed(store, digest))
    assert passed(store) > 1000


def unsealed(store, digest):
    """`images.opened` without its defence."""
    file = open(images.path(store, digest), "rb")
    head = file.read(44)
    if len(head) < 44:
        file.close()
        return None, None
    return struct.unpack_from("<III", head, 32), file


def test_a_swapped_image_is_not_opened(store):
    """The image of one module under the name of another; that of another board; of another port."""
    images.write(store, OTHER, TARGET, PARTS)
    one, other = images.path(store, ONE), images.path(store, OTHER)
    with open(other, "rb") as file:
        data = file.read()
    with open(one, "wb") as file:
        file.write(data)
    assert opened(store) is None
    assert opened(Store(store.root, b"x" * 32), OTHER) is None
    for target in ((5, 3), (4, 2)):
        images.write(store, ONE, TARGET, PARTS)
        assert opened(store, ONE, target) is None


def test_another_engines_image_is_not_opened(store, monkeypatch):
    monkeypatch.setattr(images, "_ENGINE", images._ENGINE + 1)
    assert opened(store) is None


def test_the_engine_is_the_compilers():
    from mpwasm.native.container import ENGINE

    assert images._ENGINE == ENGINE


def test_a_module_becomes_an_image(store):
    """Compiled in slices that tell how far it is; what a start needs is noted for the next boot; an unknown import is told before."""
    path = Path(__file__).parents[2] / "wasm_modules" / "sensor" / "sensor.wasm"
    with path.open("rb", buffering=0) as file:
        module = load_module(file)
    told, why = run(making.image(store, OTHER, module, TARGET))
    slices = [percent for percent in told if percent is not None]
    assert told[0] is None and told[-1] is None, "files are loaded at both ends, each in a turn of its own"
    assert why == "" and slices == sorted(slices) and slices[-1] > 50
    (base, needed, declared), content = opened(store, OTHER)
    assert base == 0 and 1024 < needed < declared == 65536 and content[:3] == b"M\x06\x13"
    assert (Path(store.dir) / "parts").read_bytes().startswith(b"wasi.devices wasi.preview1")
    module.imports[0] = ("gpio", "toggle", 0, module.imports[0][3])
    with pytest.raises(Unlinkable):
        run(making.image(store, OTHER, module, TARGET))


def test_a_missing_library_is_told(store, monkeypatch):
    """A board without the library says that, and not that its flash is full."""
    from mpwasm.native import library

    path = Path(__file__).parents[2] / "bench" / "kernels" / "mandel.wasm"
    with path.open("rb", buffering=0) as file:
        module = load_module(file)
    monkeypatch.setattr(library, "__file__", store.dir + "/library.py")
    assert run(making.image(store, OTHER, module, TARGET))[1] == "no-library"


def run(task):
    """What a generator yields and returns."""
    found = []
    while True:
        try:
            found.append(next(task))
        except StopIteration as end:
            return found, end.value
