"""Boards in QEMU: the program's name says which chip, its image lies where that chip looks, and no byte of the serial line is lost."""

import hashlib
import stat
import sys
import time
import types

import pytest

from hil import emulated
from hil.qemu_board import FLASH_BYTES, SHIM, QemuBoard, QemuC3, qemu_board
from hil.target import Missing

IMAGE = b"\xe9" + bytes(range(1, 251)) * 300  # 0xE9: the magic of an ESP image
PRINTED = 20000  # more than a socket holds in pieces of a byte

# Stands for QEMU: it prints byte by byte, then says back what is typed; its monitor knows one pin's level.
FAKE = """#!{python}
import os, socket, sys, threading
if "help" in sys.argv: sys.exit(print("esp32-picsimlab\\nesp32c3-picsimlab"))
def option(name): return sys.argv[sys.argv.index(name) + 1]
line = option("-serial").removeprefix("pipe:")
read, write = os.open(line + ".in", os.O_RDWR), os.open(line + ".out", os.O_RDWR)
door = socket.socket(socket.AF_UNIX)
door.bind(option("-qmp").split(",")[0].removeprefix("unix:"))
door.listen()
for byte in b"x" * {printed} + b">>> ": os.write(write, bytes([byte]))
def echo():
    while True: os.write(write, os.read(read, 99))
threading.Thread(target=echo, daemon=True).start()
monitor = door.accept()[0]
monitor.sendall(b'{{"QMP": {{}}}}\\n')
while monitor.recv(4096): monitor.sendall(b'{{"return": "00: 0x00000110"}}\\n')
"""


@pytest.fixture(params=[QemuBoard, QemuC3])
def board(request, tmp_path, monkeypatch):
    kind = request.param
    monkeypatch.setattr(emulated, "CACHE", tmp_path)
    monkeypatch.setattr(kind, "sha256", hashlib.sha256(IMAGE).hexdigest())
    (tmp_path / kind.firmware).write_bytes(IMAGE)
    program = tmp_path / kind.program
    program.write_text(FAKE.format(python=sys.executable, printed=PRINTED))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    made = qemu_board(str(program))
    assert type(made) is kind
    yield made
    made.close()


def test_it_starts_with_the_image_where_the_chip_looks_for_it(board):
    board.flash()
    flash = (board._folder / "flash").read_bytes()
    assert len(flash) == FLASH_BYTES
    at = {"esp32": 0x1000, "esp32c3": 0}[board.chip]
    assert flash[at + 4 : at + len(IMAGE)] == IMAGE[4:]  # esptool writes the flash's size into the first four
    assert board.console().count("x") == PRINTED
    assert board.pin(4) == 1 and board.pin(3) == 0
    assert board.pin(25) == (board.chip == "esp32c3")  # whose pin 8 stands for it


def test_what_is_typed_arrives_after_each_start(board):
    board.flash()
    for word in ("first " * 100, "second " * 100):
        with open(board.port(), "wb", buffering=0) as port:
            port.write(word.encode())
        deadline = time.monotonic() + 20
        while word not in board.console() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert word in board.console()
        board.cut_power()


def test_the_board_finds_a_pin_under_another_number(monkeypatch):
    class Pin(int):
        OUT = 3

        def __new__(cls, number, mode):
            return int.__new__(cls, 100 * mode + number)

    monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(Pin=Pin, WDT=lambda id, timeout: timeout, reset=7))
    exec(SHIM.format(pins={25: 8}), {})
    import machine

    assert machine.Pin(25, machine.Pin.OUT) == 308 and machine.Pin(4, 1) == 104
    assert machine.WDT(timeout=8) == 80 and machine.reset == 7


def test_another_program_is_refused(tmp_path):
    board = qemu_board("/bin/true")
    with pytest.raises(Missing, match="has no machine esp32-picsimlab"):
        board.flash()
    board.close()
    board = qemu_board(str(tmp_path / "qemu-system-riscv32"))
    with pytest.raises(Missing, match="build qemu-system-riscv32 from"):
        board.flash()
    board.close()
