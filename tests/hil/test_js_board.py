"""The RP2040 in rp2040js: official firmware boots there, and its file system is real: what is put in and what the board writes lasts."""

import pytest

from hil import flash_file
from hil.js_board import JsRP2040
from hil.target import ExecError, Missing

BLOCKS = 16
START = 4096


def listed(flash):
    """{path: bytes} of the file system in a flash file."""
    from littlefs import LittleFS
    from littlefs.context import UserContext

    held = UserContext(0)
    held.buffer = bytearray(flash.read_bytes()[START:])
    system = LittleFS(context=held, block_size=flash_file.BLOCK_BYTES, block_count=BLOCKS, read_size=32, prog_size=32, lookahead_size=32)
    return {f"{folder.rstrip('/')}/{name}": system.open(f"{folder}/{name}", "rb").read() for folder, _, names in system.walk("/") for name in names}


def test_files_are_added_to_those_in_a_flash_file(tmp_path):
    flash = tmp_path / "flash"
    flash.write_bytes(b"\x55" * START + b"\xff" * BLOCKS * flash_file.BLOCK_BYTES)
    flash_file.write(flash, START, {"/a": b"one", "/lib/b/c": bytes(5000)})
    flash_file.write(flash, START, {"/a": b"two"})
    assert listed(flash) == {"/a": b"two", "/lib/b/c": bytes(5000)}
    assert flash.read_bytes()[:START] == b"\x55" * START and flash.stat().st_size == START + BLOCKS * flash_file.BLOCK_BYTES


@pytest.fixture(scope="module")
def board():
    made = JsRP2040()
    try:
        made.flash()
    except Missing as reason:
        pytest.skip(str(reason))
    else:
        yield made
    finally:
        made.close()


def test_files_last(board):
    board.put_all({"/lib/given.py": b"x = 6"})
    board.exec("import given\nwith open('/made', 'w') as f: f.write('seven' * given.x)")
    board.put_all({"/more": b""})
    board.reset()
    assert board.exec("import os\nprint(sorted(os.listdir('/')), open('/made').read() == 'seven' * 6)") == "['lib', 'made', 'more'] True\n"


def test_an_error_is_the_boards_own(board):
    with pytest.raises(ExecError, match="NameError"):
        board.exec("nothing")
    assert board.exec("print('after it')") == "after it\n"


def test_what_takes_too_long_is_given_up_and_a_reset_helps(board):
    with pytest.raises(TimeoutError):
        board.exec("while True: pass", timeout_s=1)
    before = board.seconds()
    board.reset()
    assert board.exec("print(1)") == "1\n"
    assert board.seconds() >= before > 0
