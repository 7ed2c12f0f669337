"""The simulated board as a machine: boot, console, pins, converters, flash, reset, power."""

import time

import pytest

from fleet.sim.board import Board


def test_boot_runs_main_and_prints(board):
    one = board("import sys\nprint('up', sys.implementation.name, __name__)")
    one.wait(lambda: one.state == "halted")
    assert list(one.console) == ["up micropython __main__"]


def test_traceback_as_on_the_firmware(board):
    one = board("def f():\n    return 1 // 0\nf()\n")
    one.wait(lambda: one.state == "halted")
    assert list(one.console) == [
        "Traceback (most recent call last):",
        '  File "main.py", line 3, in <module>',
        '  File "main.py", line 2, in f',
        "ZeroDivisionError: divide by zero",
    ]


def test_syntax_error_is_reported(board):
    one = board("def f(:\n")
    one.wait(lambda: one.state == "halted")
    assert one.console[-1].startswith("SyntaxError")


def test_nothing_that_a_board_lacks_can_be_imported(board):
    one = board("""
for name in ("hmac", "typing", "functools", "logging", "pathlib", "unittest", "abc", "dataclasses", "enum"):
    try:
        __import__(name)
        print("has", name)
    except ImportError:
        pass
print("done")""")
    one.wait_console("done")
    assert list(one.console) == ["done"]


def test_pins_are_watched(board):
    seen = []
    one = board("from machine import Pin\np = Pin(15, Pin.OUT, value=1)\np.off()\np.off()\np.on()\nprint('done')", start=False)
    one.on_pin(lambda *change: seen.append(change))
    one.start()
    one.wait_console("done")
    assert seen == [(15, 1), (15, 0), (15, 1)] and one.pin(15) == 1


def test_pins_are_driven(board):
    one = board("""
from machine import ADC, Pin
import time
up, down, bare = Pin(2, Pin.IN, Pin.PULL_UP), Pin(3, Pin.IN, Pin.PULL_DOWN), Pin(4, Pin.IN)
print("floating", up.value(), down.value(), bare.value())
while not down.value():
    time.sleep_ms(5)
print("driven", up.value(), down.value(), ADC(26).read_u16(), ADC(Pin(27)).read_u16())
""")
    one.wait_console("floating 1 0 0")
    one.drive_adc(26, 40000)
    one.drive_adc(27, 65535)
    one.drive_pin(2, 0)
    one.drive_pin(3, 1)
    one.wait_console("driven 0 1 40000 65535")
    one.drive_pin(2, None)
    assert one.pin(2) == 1


def test_wrong_pins_are_refused(board):
    one = board("""
from machine import ADC, Pin
for what, number in ((Pin, 30), (Pin, -1), (ADC, 5)):
    try:
        what(number)
        print("took", number)
    except ValueError:
        print("refused", number)
""")
    one.wait(lambda: one.state == "halted")
    assert list(one.console) == ["refused 30", "refused -1", "refused 5"]


def test_files_survive_reset_and_power(board):
    one = board("""
import machine
try:
    count = int(open("/count").read())
except OSError as error:
    assert error.errno == 2
    count = 0
print("start", count, machine.reset_cause())
with open("/count", "w") as file:
    file.write(str(count + 1))
if count < 2:
    machine.reset()
""")
    one.wait(lambda: one.state == "halted")
    assert list(one.console) == ["start 0 1", "start 1 2", "start 2 2"] and one.resets == 2
    one.stop()
    one.start()
    one.wait_console("start 3 1")


def test_reset_from_outside_and_watchdog(board):
    one = board("""
import machine, time
print("cause", machine.reset_cause())
if machine.reset_cause() == machine.HARD_RESET:
    dog = machine.WDT(timeout=300)
    for i in range(20):
        time.sleep_ms(30)
        dog.feed()
    print("fed")
while machine.reset_cause() != machine.WDT_RESET:
    time.sleep_ms(50)
""")
    one.wait_console("cause 1")
    one.reset()
    one.wait_console("fed")
    one.wait_console("cause 3")


def test_soft_reset_and_system_exit_restart(board):
    one = board("""
import machine, sys
cause = machine.reset_cause()
print("cause", cause)
if cause == machine.PWRON_RESET:
    sys.exit()
print("there")
""")
    one.wait_console("cause 5")


def test_rename_replaces_in_one_step(board):
    one = board("""
import os
for name, text in (("a", "old"), ("b", "new")):
    with open(name, "w") as file:
        file.write(text)
keep = open("a")
os.rename("b", "/a")
print(open("a").read(), keep.read(), sorted(name for name in os.listdir() if len(name) == 1))
os.mkdir("d"); os.mkdir("e"); open("e/x", "w").close()
try:
    os.rename("d", "e")
except OSError as error:
    print("refused", error.errno)
os.rename("e", "f")
print(os.listdir("f"), os.stat("f/x")[6])
os.remove("f/x"); os.rmdir("f")
try:
    os.stat("f")
except OSError as error:
    print("gone", error.errno)
""")
    one.wait_console("gone 2")
    assert list(one.console)[:3] == ["new old ['a']", "refused 39", "['x'] 0"]
    assert (one.directory / "a").read_text() == "new" and not (one.directory / "b").exists()


def test_append_seek_and_truncate(board):
    one = board("""
with open("log", "wb") as file:
    file.write(b"0123456789")
with open("log", "ab") as file:
    file.write(b"ab")
with open("log", "r+b") as file:
    file.seek(5); file.write(b"X"); file.seek(-2, 2)
    print(file.read(), file.tell())
buf = bytearray(4)
with open("log", "rb") as file:
    file.seek(4)
    print(file.readinto(buf), bytes(buf))
open("log", "wb").close()
print(open("log").read() == "")
""")
    one.wait_console("True")
    assert list(one.console) == ["b'ab' 12", "4 b'4X67'", "True"]


def test_flash_is_full_at_its_size(board):
    one = board(
        """
import os
size = os.statvfs("/")
print("free", size[0] * size[3] // 1024)
try:
    with open("big", "wb") as file:
        for i in range(100):
            file.write(bytes(1024))
except OSError as error:
    print("full", error.errno, os.statvfs("/")[3])
os.remove("big")
with open("small", "wb") as file:
    file.write(bytes(1024))
print("fits")
""",
        flash_bytes=64 * 1024,
    )
    one.wait_console("fits")
    assert list(one.console)[:2] == ["free 60", "full 28 0"]


def test_power_cut_in_mid_write_leaves_whole_old_file(board):
    one = board("""
import os
n = 0
while True:
    n += 1
    with open("state.tmp", "w") as file:
        for i in range(50):
            file.write("%06d" % n)
    os.rename("state.tmp", "state")
    if n == 20:
        print("going")
""")
    for _ in range(5):
        one.wait(lambda: any("going" in line for line in one.console))
        one.stop()
        text = (one.directory / "state").read_text()
        assert len(text) == 300 and text == text[:6] * 50
        one.console.clear()
        one.start()


def test_memory_is_collected_while_running(board):
    one = board("""
import gc, time, _vm
def churn(total):
    for i in range(total):
        keep = [bytes(1000) for k in range(20)]
        time.sleep_us(1) if i % 10 else time.sleep_ms(0)
churn(100)
before = _vm.memory()
churn(3000)
gc.collect()
print("grew", _vm.memory() - before, gc.mem_alloc() < 60000, gc.mem_free() > 150000)
""")
    one.wait_console("grew 0 True True", timeout_s=30)


def test_objects_survive_collections(board):
    one = board("""
import gc
class Node:
    pass
def deep(n):
    mine = {"n": n, "text": "x" * n, "list": [n, [n]]}
    if n:
        deep(n - 1)
    else:
        for i in range(10):
            junk = [[i] * 50 for k in range(200)]
            gc.collect()
    assert mine == {"n": n, "text": "x" * n, "list": [n, [n]]}
def numbers():
    local = [1 << 70]
    for i in range(50):
        gc.collect()
        yield local[0] + i
for i in range(20):
    deep(20)
    assert list(numbers())[-1] == (1 << 70) + 49
try:
    try:
        raise ValueError("a" + str(i))
    finally:
        gc.collect()
except ValueError as error:
    gc.collect()
    print("kept", error.args)
""")
    one.wait_console("kept ('a19',)")


def test_idle_boards_cost_nothing(board):
    many = [board("import time\nprint('up')\nwhile True:\n    time.sleep_ms(500)") for _ in range(8)]
    for one in many:
        one.wait_console("up", timeout_s=30)
    pid = many[0]._host._process.pid

    def cpu():
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    try:
        before = cpu()
    except FileNotFoundError:
        pytest.skip("no /proc here to read processor time from")
    time.sleep(2)
    assert cpu() - before < 40  # 1/100 s: under a fifth of one processor for eight boards


def test_image_is_built_and_boots(tmp_path, host):
    one = Board(tmp_path / "flash", identity=b"\xa0", host=host).flash()
    assert (one.directory / "cfg" / "identity.cbor").read_bytes() == b"\xa0"
    main = (one.directory / "main.py").read_text().replace("import run\n", "import __name__ as name\n")
    (one.directory / "main.py").write_text(main.replace('run("", died)', "print('loaded', name)"))
    with one:
        one.wait_console("loaded a_supervisor")
