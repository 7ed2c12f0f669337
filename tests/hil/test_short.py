"""A short run on emulated boards with official firmware: console, files, pins, reset, power, real mpremote. `make hil` is the whole."""

import subprocess
import sys

import pytest

from hil.emulated import EmulatedPicoW
from hil.install import install
from hil.serial_board import SerialBoard
from hil.target import ExecError, Missing


@pytest.fixture(scope="module", params=[EmulatedPicoW])
def board(request):
    target = request.param()
    try:
        target.flash()
        yield target
    except Missing as reason:
        pytest.skip(str(reason))
    finally:
        target.close()


def test_files_stay_over_reset_and_power_cut(board):
    data = bytes(range(256)) * 33
    install(board, {"/lib/deep/file.bin": data, "/b": b"", "/c": b"c"})
    for restart in (board.reset, board.cut_power):
        restart()
        assert board.exec("print(open('/lib/deep/file.bin', 'rb').read() == bytes(range(256)) * 33, open('/c').read())") == "True c\n"


def test_errors_and_time(board):
    with pytest.raises(ExecError, match="ZeroDivisionError"):
        board.exec("1/0")
    board.exec("import time")
    before = board.seconds()
    board.exec("time.sleep(1)")
    assert 1 <= board.seconds() - before < 1.5


def test_pins_are_seen_and_driven(board):
    seen = []
    board.on_pin(15, seen.append)
    board.exec("from machine import Pin, ADC\np = Pin(15, Pin.OUT, value=0)\np.value(1)")
    assert board.pin(15) == 1 and seen[-1] == 1
    board.exec("p.value(0)")
    assert board.pin(15) == 0
    board.drive_pin(14, 1)
    board.drive_adc(26, 40000)
    assert board.exec("print(Pin(14, Pin.IN).value(), 39000 < ADC(Pin(26)).read_u16() < 41000)") == "1 True\n"


def test_mpremote_talks_to_it(board, tmp_path):
    (tmp_path / "hello.txt").write_text("hello")
    command = [sys.executable, "-m", "mpremote", "connect", board.port(), "cp", str(tmp_path / "hello.txt"), ":/hello.txt", "+", "exec", "print(6*7)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.split()[-1] == "42"
    assert board.exec("print(open('/hello.txt').read())") == "hello\n"
    assert "raw REPL" in board.console()


def test_the_serial_target_is_the_same_by_mpremote(board):
    serial = SerialBoard(board.port())
    serial.flash()
    serial.put("/lib/x/y.bin", b"\0\xff" * 700)
    assert serial.exec("print(len(open('/lib/x/y.bin', 'rb').read()))") == "1400\n"
    with pytest.raises(ExecError, match="KeyError"):
        serial.exec("{}[1]")
    with pytest.raises(Missing):
        serial.pin(1)
