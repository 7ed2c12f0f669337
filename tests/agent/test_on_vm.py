"""The same agent, unchanged, as bytecode in a real MicroPython VM with the real engine: a simulated board against the fake fleet."""

from pathlib import Path

import pytest
import wasmtime

from fleet.sim import image
from fleet.sim.board import Board
from tests.fakes.broker import Broker
from tests.fakes.fleet import Ed25519PrivateKey, Fleet, wait

GUEST = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "gpio" "configure" (func $configure (param i32 i32) (result i32)))
  (import "gpio" "write" (func $set (param i32 i32) (result i32)))
  (import "telemetry" "publish" (func $tell (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
  (data (i32.const 16) "TEXT!\\n")
  (data (i32.const 32) "level")
  (data (i32.const 80) "\\01\\00\\00\\00\\00\\00\\00\\00\\80\\f0\\fa\\02")
  (func $deeper (call $deeper) (call $deeper))
  (func (export "_start") (local $level i32)
    (drop (call $configure (i32.const 15) (i32.const 1)))
    (loop $again
      (local.set $level (i32.xor (local.get $level) (i32.const 1)))
      (drop (call $set (i32.const 15) (local.get $level)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $tell (i32.const 32) (i32.const 5) (local.get $level) (i32.const 0)))
      (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 160)))
      BODY
      (br $again))))
"""


def guest(text, body=""):
    """A module that logs, toggles pin 15, tells its level, sleeps 50 ms, does `body`, and so on for ever."""
    return bytes(wasmtime.wat2wasm(GUEST.replace("TEXT!", text).replace("BODY", body)))


@pytest.fixture
def fleet():
    broker = Broker()
    yield Fleet(broker, "vm1")
    broker.stop()


@pytest.fixture
def board(tmp_path, fleet):
    """A simulated board, started, connected."""
    image.install(tmp_path / "vm1")
    board = Board(tmp_path / "vm1", identity=fleet.identity())
    board.pins = []
    board.on_pin(lambda *change: board.pins.append(change))
    board.start()
    try:
        wait(lambda: "ready" in fleet.states and fleet.reports, 30)
        yield board
    finally:
        board.stop()
        print("\n".join(board.console))


def confirm(fleet, payload, **fields):
    seq = fleet.push(payload, **fields)
    wait(lambda: fleet.said("confirmed", seq=seq), 30)
    return seq


def running(fleet, text):
    seen = len(fleet.lines)
    wait(lambda: text in [line[3] for line in fleet.lines[seen:]])


def test_push_refusals_and_restart(board, fleet):
    confirm(fleet, guest("hello"))
    running(fleet, "hello")
    wait(lambda: len(board.pins) > 2 and len(fleet.readings) > 2)
    assert fleet.reports[-1].port == "webassembly" and fleet.reports[-1].free_heap > 0
    seq = fleet.push(guest("evil!"), signer=Ed25519PrivateKey.generate())
    wait(lambda: fleet.said("rejected", "unknown-key", seq))
    running(fleet, "hello")
    board.reset()
    wait(lambda: fleet.reports[-1].boots == 2, 30)
    running(fleet, "hello")
    assert fleet.said("rejected", "unknown-key", seq)


def test_a_guest_that_never_returns_is_reported_on_and_replaced(board, fleet):
    confirm(fleet, guest("spin!", "(loop $spin (br $spin))"))
    packets = len(fleet.broker.packets)
    confirm(fleet, guest("after"))
    running(fleet, "after")
    assert len(fleet.broker.packets) > packets


def test_trap_is_reported(board, fleet):
    confirm(fleet, guest("hello"))
    seq = fleet.push(guest("trap!", "(unreachable)"), confirm_s=2)
    wait(lambda: fleet.said("rolled-back", "trap", seq), 30)
    running(fleet, "hello")


def test_broker_restart(board, fleet):
    confirm(fleet, guest("hello"))
    fleet.broker.stop()
    lines = len(fleet.lines)
    wait(lambda: any("link lost" in line for line in board.console))
    fleet.broker.start()
    wait(lambda: fleet.broker.connects == 2, 30)
    wait(lambda: len(fleet.lines) > lines)
    running(fleet, "hello")


def free_heap(fleet, text):
    """Free heap as the board tells it when it is asked, once its guest has said `text` a few times."""
    wait(lambda: fleet.texts().count(text) > 3, 30)
    reports = len(fleet.reports)
    fleet.broker.publish("f/1/vm1/desired", b"say how you are")
    wait(lambda: len(fleet.reports) > reports)
    return fleet.reports[-1].free_heap


def test_dropped_modules_leave_the_heap(board, fleet):
    """Ten updates cost no heap that stays: the install phase and the old guest are gone each time."""
    confirm(fleet, guest("hello"))
    confirm(fleet, guest("hallo"))
    free = free_heap(fleet, "hallo")
    for number in range(8):
        confirm(fleet, guest("text%d" % number))
    assert free_heap(fleet, "text7") > free - 2048


def test_garbage_and_wrong_key(board, fleet):
    confirm(fleet, guest("hello"))
    for size in (0, 1, 30, 300, 1900):
        for name in ("desired", "blk", "cmd"):
            fleet.broker.publish("f/1/vm1/" + name, bytes([255] * size))
    wait(lambda: any("desired refused: mac" in text for text in fleet.texts()))
    seq = fleet.push(guest("later"), key=bytes(32))
    running(fleet, "hello")
    assert fleet.reports[-1].seq == seq - 1 and board.resets == 0


def test_wifi_lost_and_found(board, fleet):
    confirm(fleet, guest("hello"))
    board.stop()
    board.identity = fleet.identity(_8="greenhouse", _9="secret123")
    connects = fleet.broker.connects
    board.start()
    wait(lambda: fleet.broker.connects > connects and fleet.reports[-1].boots == 2, 30)
    assert fleet.reports[-1].rssi is None or fleet.reports[-1].rssi < 0
    board.wifi(False)
    wait(lambda: fleet.states[-1] == "lost", 30)
    board.wifi(True)
    wait(lambda: fleet.states[-1] == "ready", 30)
    running(fleet, "hello")


def test_an_agent_that_dies_is_told_counted_and_reset(tmp_path):
    image.install(tmp_path / "vm2")
    board = Board(tmp_path / "vm2")
    board.start()
    try:
        wait(lambda: board.resets >= 2, 30)
        assert any("Traceback" in line for line in board.console)
        assert int((tmp_path / "vm2" / "state" / "crashes").read_text()) >= 2
    finally:
        board.stop()


def test_the_sensor_drives_its_relay(board, fleet):
    payload = (Path(__file__).resolve().parents[2] / "wasm_modules" / "sensor" / "sensor.wasm").read_bytes()
    board.drive_adc(26, 10000)
    confirm(fleet, payload, capabilities=["adc:26", "gpio:15", "telemetry:temperature", "clock", "log"], memory=8192)
    wait(lambda: fleet.readings)
    assert fleet.readings[0][2:] == ["temperature", 153, -1]
    board.drive_adc(26, 60000)
    wait(lambda: (15, 1) in board.pins)
    wait(lambda: "relay on at 91.6" in fleet.texts())
    assert fleet.said("confirmed")


HANGING = """
import machine
real = machine.WDT
machine.WDT = lambda timeout: real(timeout=timeout // 8)
from mpwasm.agent import supervisor
def hang(agent):
    print("cause", machine.reset_cause())
    while True: pass
supervisor.Supervisor.turn = hang
supervisor.run()
"""


def test_the_watchdog_resets_a_board_that_hangs(tmp_path, fleet):
    image.build(tmp_path / "vm3", spelt=False)
    board = Board(tmp_path / "vm3", identity=fleet.identity())
    (tmp_path / "vm3" / "main.py").write_text(HANGING)
    board.start()
    try:
        board.wait(lambda: "cause 3" in board.console, 20, "reset by the watchdog")
    finally:
        board.stop()


def test_commands_reach_a_board_whose_guest_never_returns(board, fleet):
    confirm(fleet, guest("spin!", "(loop $spin (br $spin))"))
    assert "bytes free" in fleet.answer_to(fleet.command("gc")[0]).detail
    assert fleet.answer_to(fleet.command("stop")[0]).reason is None
    wait(lambda: fleet.component.detail == "stopped by a command")
    changes = len(board.pins)
    assert "LED blinked" in fleet.answer_to(fleet.command("identify")[0]).detail
    assert {change[0] for change in board.pins[changes:]} == {25}
    counter, message = fleet.command("restart")
    assert fleet.answer_to(counter).reason is None
    wait(lambda: fleet.reports[-1].boots == 2, 30)
    fleet.command("restart", counter=counter, again=message)
    running(fleet, "spin!")
    assert board.resets == 1 and [result.counter for result in fleet.results].count(counter) == 1


def test_runaway_guests_are_stopped_by_their_budgets(board, fleet):
    confirm(fleet, guest("hello"))
    wide = "(drop (memory.grow (i32.const 1))) (i32.store (i32.const 70000) (i32.const 1))"
    for body, words in (("(call $deeper)", "code 120 in 5+"), (wide, "code 121 "), ("(loop $spin (br $spin))", " ms without a wait in 6+")):
        seq = fleet.push(guest("hog!!", body), memory=4096, confirm_s=20, busy_ms=500)
        wait(lambda seq=seq: fleet.said("rolled-back", "exhausted", seq), 30)
        assert words in fleet.component.detail, fleet.component.detail
        running(fleet, "hello")
