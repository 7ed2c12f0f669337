"""Files reach a board whole, whatever their size."""

from hil.install import _BUNDLE_BYTES, bundles


def test_bundles_are_small_and_lose_nothing():
    sizes = (0, 1, _BUNDLE_BYTES, _BUNDLE_BYTES - 1, _BUNDLE_BYTES + 1, 3 * _BUNDLE_BYTES, 7)
    files = {f"/{n}": bytes([n]) * size for n, size in enumerate(sizes)}
    written = {}
    for mode, group in bundles(files):
        assert sum(map(len, group.values())) <= _BUNDLE_BYTES
        for path, data in group.items():
            assert (path in written) == (mode == "ab")
            written[path] = written.get(path, b"") + data
    assert written == files
