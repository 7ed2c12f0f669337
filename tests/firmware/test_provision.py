"""Setting a board up: through real mpremote to a raw REPL, and what the board itself runs."""

import re

import pytest

from firmware import board_code, boards, provision
from firmware.errors import FirmwareError
from tests.firmware.fake_board import Board, Flash

PICO_W = boards.load("pico_w")
FILES = {"/lib/mpwasm/a.mpy": b"M\x06\x00\x1f" + bytes(5000), "/lib/mpwasm/wire/b.mpy": b"M\x06\x00\x1fb", "/main.py": b"print(1)"}


@pytest.fixture
def board(tmp_path):
    with Board(tmp_path) as board:
        yield board


def test_facts_come_through_mpremote(board):
    found = provision.facts(board.port)
    assert found["machine"] == PICO_W.machine and found["id"].endswith("1f2b2c")
    assert (found["free_flash"], found["agent"], found["wifi"]) == (210 * 4096, False, True)
    assert provision.complaints(found, PICO_W, 200000) == []


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"name": "circuitpython"}, "runs circuitpython, not MicroPython"),
        ({"machine": "Raspberry Pi Pico with RP2040"}, "Choose the right --board"),
        ({"mpy": 0x0206}, r"loads \.mpy version 6\.2, not 6\.3"),
        ({"free_flash": 1000}, "has 1000 bytes of flash left, and 200000 are needed"),
        ({"wifi": False}, "has no network"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure(board, change, sentence):
    assert any(re.search(sentence, text) for text in provision.complaints({**provision.facts(board.port), **change}, PICO_W, 200000))


def test_the_agent_is_put_aside_before_its_files_change(board, tmp_path):
    (tmp_path / "main.py").write_text("")
    provision.park(board.port)
    assert not (tmp_path / "main.py").exists() and (tmp_path / "main.off").exists()
    assert "machine.reset()" in board.ran[-1]
    assert board.flash.registers == {0x4005B000: 1 << 30}  # the watchdog that the agent has armed
    provision.park(board.port)  # a board without an agent is left as it is


def test_networks_in_reach(board):
    assert provision.scan(board.port) == ["house", "shed"]


def test_a_board_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(provision, "ASK_S", 3)
    with Board(tmp_path, deaf=True) as board, pytest.raises(FirmwareError, match="runs no MicroPython, or hangs"):
        provision.facts(board.port)


def test_ports_that_are_none(tmp_path):
    with pytest.raises(FirmwareError, match="There is no /dev/none"):
        provision.facts("/dev/none")
    (tmp_path / "file").touch()
    with pytest.raises(FirmwareError, match="is no serial port"):
        provision.facts(str(tmp_path / "file"))


@pytest.mark.parametrize("text, sentence", [("OSError: [Errno 28]", "flash is full"), ("MemoryError", "out of memory"), ("what?", "what\\?")])
def test_failures_have_sentences(text, sentence):
    with pytest.raises(FirmwareError, match=sentence):
        raise FirmwareError(provision.cure(text, "p"))


# -- what runs on the board, with a folder as flash


def remote(folder, files):
    (folder / "remote").mkdir(exist_ok=True)
    for name, data in zip(("index", "bundle"), provision.bundle(files)):
        (folder / "remote" / name).write_bytes(data)


def install(folder):
    printed, error = Flash(folder).run(board_code.INSTALL)
    return printed.splitlines(), error


def test_files_are_written_hashed_and_renamed(tmp_path):
    files = {"/big.bin": bytes(40000), **FILES}
    remote(tmp_path, files)
    printed, error = install(tmp_path)
    there = [int(line[3:]) for line in printed if line.startswith("at ")]
    assert error == "" and [line for line in printed if line[:3] != "at "] == [f"wrote {path}" for path in files] + ["installed"]
    assert there == sorted(there) and len(there) == len(files) + 2 and there[-1] == sum(map(len, files.values()))
    assert all((tmp_path / path[1:]).read_bytes() == data for path, data in FILES.items())
    assert not list(tmp_path.rglob("*.new"))


def test_a_second_run_writes_only_what_differs(tmp_path):
    remote(tmp_path, FILES)
    install(tmp_path)
    (tmp_path / "lib/mpwasm/wire/b.mpy").write_bytes(b"half")
    printed, _ = install(tmp_path)
    assert [line for line in printed if line.startswith("wrote")] == ["wrote /lib/mpwasm/wire/b.mpy"]
    assert [line for line in printed if line.startswith("at")][-1] == f"at {sum(map(len, FILES.values()))}"


def test_bytes_that_changed_on_the_way_never_get_their_name(tmp_path):
    remote(tmp_path, FILES)
    bundle = tmp_path / "remote" / "bundle"
    bundle.write_bytes(b"!" + bundle.read_bytes()[1:])
    printed, error = install(tmp_path)
    assert "OSError: flash /lib/mpwasm/a.mpy" in error and "installed" not in printed
    assert not (tmp_path / "lib/mpwasm/a.mpy").exists() and not (tmp_path / "main.py").exists()


def test_a_bundle_that_is_cut_off_is_refused(tmp_path):
    remote(tmp_path, FILES)
    bundle = tmp_path / "remote" / "bundle"
    bundle.write_bytes(bundle.read_bytes()[:4000])
    assert "OSError: bundle" in install(tmp_path)[1]
