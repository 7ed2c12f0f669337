"""Every file of tests/dual once more, inside the real MicroPython VM."""

import pytest

from tests import figures, micropython

FILES = sorted(micropython.DUAL.glob("test_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_in_micropython(file):
    """All test functions of the file pass on MicroPython."""
    results = micropython.run(file)
    assert results, f"{file.name} has no test functions"
    figures.add("tests passed inside MicroPython", sum(entry["ok"] for entry in results))
    failures = [f"{entry['test']} on MicroPython:\n{entry['out']}" for entry in results if not entry["ok"]]
    assert not failures, "\n\n".join(failures)


def test_a_failed_assertion_fails_there_too(tmp_path):
    """Files of tests keep their `assert`s in the bytecode, which an optimising compiler would drop."""
    file = tmp_path / "test_nothing.py"
    file.write_text("def test_right():\n    assert True\n\n\ndef test_wrong():\n    assert False\n")
    assert {entry["test"]: entry["ok"] for entry in micropython.run(file)} == {"test_right": True, "test_wrong": False}
