"""The board's part of `hil.powercut` keeps up with the agent, and a module torn on flash is told from a whole one."""

import subprocess
import sys

import pytest

from hil.install import ROOT
from hil.powercut import told, verdict


@pytest.fixture
def board(tmp_path):
    """A folder as the flash of a board that has been given the scenario; lives(ORDER...) are its lives, one after the other."""
    (tmp_path / "told").mkdir()
    for name, data in told().items():
        (tmp_path / "told" / name).write_bytes(data)

    def lives(*orders):
        code = f"from tests.powercut import on_board\nfor order in {orders!r}: on_board.live(order, {str(tmp_path)!r})"
        return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    return tmp_path, lives


def test_an_update_comes_to_its_end(board):
    _, lives = board
    assert verdict(lives("order1")) and verdict(lives("order2")) is None


def test_a_module_torn_on_flash_is_seen(board):
    folder, lives = board
    lives("order1")
    module = max((folder / "state").iterdir(), key=lambda path: path.stat().st_size)
    module.write_bytes(module.read_bytes()[:1000])
    printed = lives("order2")
    assert printed.startswith("bad 1") and "start 2" in printed and verdict(printed) == printed
