"""Files reach a board whole, whatever their size."""

from hil.install import _BUNDLE_BYTES, bundles, in_parts


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


def a_file(modules, *more):
    """Commands of so many modules, three each, and `more`."""
    return [command for n in range(modules) for command in ({"type": "module", "filename": f"{n}.wasm"}, {"type": "action", "line": n}, *more)]


def test_a_file_of_the_suite_is_cut_before_modules_only():
    commands = a_file(9)
    parts = in_parts(commands, 5000)
    assert sum(parts, []) == commands and len(parts) > 2 and all(part[0]["type"] == "module" for part in parts)


def test_a_file_whose_modules_are_imported_later_stays_whole():
    assert len(in_parts(a_file(9, {"type": "register"}), 5000)) == 1
