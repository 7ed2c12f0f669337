"""`fleet run`: pins, log, telemetry, exit codes, traps with names, limits, arguments, errors."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import wasmtime

from fleet.cli import run
from fleet.locally import number, spell
from tests.fleet.site import REPO

TALK = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wiring" "delay" (func $delay (param i32)))
  (import "gpio" "configure" (func $configure (param i32 i32) (result i32)))
  (import "gpio" "write" (func $set (param i32 i32) (result i32)))
  (import "gpio" "read" (func $get (param i32) (result i32)))
  (import "adc" "read" (func $adc (param i32) (result i32)))
  (import "telemetry" "publish" (func $publish (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
  (data (i32.const 16) "hello\\ntemp")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $configure (i32.const 15) (i32.const 1)))
    (drop (call $configure (i32.const 4) (i32.const 0)))
    (drop (call $set (i32.const 15) (call $get (i32.const 4))))
    (drop (call $set (i32.const 15) (i32.const 1)))
    (call $delay (i32.const 60000))
    (drop (call $publish (i32.const 22) (i32.const 4) (call $adc (i32.const 26)) (i32.const -2)))
    (call $exit (i32.const 7))))"""
FAULTY = """(module (memory 1)
  (func $inner (param i32) (drop (i32.load (local.get 0))))
  (func $outer (call $inner (i32.const -4)))
  (func (export "_start") (call $outer))
  (func (export "spin") (loop (br 0)))
  (func (export "grow") (i32.store8 (i32.const 0) (i32.const 1)) (i32.store8 (i32.const 40000) (i32.const 1)))
  (func (export "add") (param i32 f64) (result f64) (f64.add (f64.convert_i32_s (local.get 0)) (local.get 1))))"""


@pytest.fixture
def module(tmp_path):
    """Writes a module in text form to a file; gives its path."""

    def write(text, name="guest.wasm"):
        path = tmp_path / name
        path.write_bytes(bytes(wasmtime.wat2wasm(text)))
        return str(path)

    return write


def test_what_a_guest_does_is_told(module, capsys):
    assert run(["run", module(TALK), "--ahead", "--pin", "4=1", "--adc", "26=2150"]) == 7
    out = capsys.readouterr()
    assert out.out.splitlines() == [
        "hello",
        "pin 15 is out",
        "pin 4 is in",
        "pin 15 = 1",
        "telemetry temp = 21.50",
        "pin 15 is in",
    ]
    assert out.err == ""


def test_as_json(module, capsys):
    assert run(["run", module(TALK), "--ahead", "-o", "json"]) == 7
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["log", "mode", "mode", "pin", "pin", "telemetry", "mode", "end"]
    assert events[0]["text"] == "hello" and events[-1]["code"] == 7 and events[-1]["how"] == "exit" and events[-1]["memory"] == 256


def test_a_trap_names_functions_and_places(module, capsys):
    assert run(["run", module(FAULTY)]) == 134
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "Error: guest.wasm trapped: out of bounds memory access."
    assert [line.split(" (function")[0] for line in err[1:]] == ["  at inner", "  at outer", "  at _start"]
    assert all("bytes " in line and "slot " in line for line in err[1:])


def test_an_abort_of_assemblyscript_says_where(module, capsys):
    text = """(module (import "env" "abort" (func $abort (param i32 i32 i32 i32))) (memory 1)
      (data (i32.const 0) "\\04\\00\\00\\00n\\00o\\00")
      (func $f (export "_start") (call $abort (i32.const 4) (i32.const 4) (i32.const 3) (i32.const 9))))"""
    assert run(["run", module(text)]) == 134
    assert "abort: no at no:3:9" in capsys.readouterr().err


def test_limits(module, capsys):
    path = module(FAULTY)
    started = time.monotonic()
    assert run(["run", path, "--entry", "spin", "--fuel", "100000"]) == 5
    assert "used up its 100000 steps" in capsys.readouterr().err
    assert run(["run", path, "--entry", "spin", "--time", "0.2"]) == 5
    assert "was stopped after 0.2 s" in capsys.readouterr().err
    assert time.monotonic() - started < 10
    assert run(["run", path, "--entry", "grow", "--memory", "4096"]) == 134
    assert "out of memory" in capsys.readouterr().err
    assert run(["run", path, "--entry", "grow"]) == 0


def test_time_is_heeded_while_the_guest_sleeps(module, capsys):
    path = module('(module (import "wiring" "delay" (func $d (param i32))) (func (export "_start") (call $d (i32.const 600000))))')
    started = time.monotonic()
    assert run(["run", path, "--time", "0.2"]) == 5
    assert time.monotonic() - started < 2


def test_an_entry_with_parameters_takes_numbers(module, capsys):
    path = module(FAULTY)
    assert run(["run", path, "--entry", "add", "--", "-2", "0.5"]) == 0
    assert capsys.readouterr().out == "-1.5\n"
    assert run(["run", path, "--entry", "add", "2"]) == 1
    assert "takes 2 numbers, not 1" in capsys.readouterr().err
    assert run(["run", path, "--entry", "add", "two", "1"]) == 1
    assert "two is not a number" in capsys.readouterr().err


def test_arguments_and_environment_reach_the_guest(module, capsys):
    text = """(module (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
      (import "wiring" "print" (func $print (param i32 i32))) (memory 1)
      (func (export "_start") (drop (call $args (i32.const 0) (i32.const 64))) (drop (call $env (i32.const 32) (i32.const 78)))
        (call $print (i32.const 64) (i32.const 20))))"""
    assert run(["run", module(text), "--env", "unit=C", "one", "two"]) == 0
    assert capsys.readouterr().out.rstrip("\n") == "guest\0one\0two\0unit=C\0"[:20].ljust(20, "\0")


def test_setup_and_loop(module, capsys):
    text = """(module (import "wiring" "delay" (func $delay (param i32))) (import "wiring" "pinMode" (func $mode (param i32 i32)))
      (import "wiring" "digitalWrite" (func $set (param i32 i32))) (global $on (mut i32) (i32.const 0))
      (func (export "setup") (call $mode (i32.const 2) (i32.const 1)))
      (func (export "loop") (global.set $on (i32.eqz (global.get $on))) (call $set (i32.const 2) (global.get $on)) (call $delay (i32.const 500))))"""
    assert run(["run", module(text), "--ahead", "--time", "1.2"]) == 5
    assert capsys.readouterr().out.splitlines() == ["pin 2 is out", "pin 2 = 1", "pin 2 = 0", "pin 2 = 1", "pin 2 is in"]


@pytest.mark.parametrize(
    "text, words",
    [
        ("(module)", "neither _start, nor setup and loop, nor main"),
        ('(module (func (export "go")))', "Name one with --entry: go."),
        ('(module (import "a" "b" (func)) (func (export "_start")))', "cannot be linked. It imports a.b () -> ()"),
        ("(module (memory 1 1 shared))", "would be refused. It uses threads"),
    ],
)
def test_errors_are_plain(module, capsys, text, words):
    assert run(["run", module(text)]) == 1
    assert words in capsys.readouterr().err


def test_bad_wiring_is_a_usage_error(module, capsys):
    path = module(TALK)
    for option in (["--pin", "4"], ["--pin", "4=2"], ["--adc", "26=70000"], ["--fuel", "0"]):
        assert run(["run", path, *option]) == 2


def test_ctrl_c(module):
    path = module(FAULTY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "device")])}
    process = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from fleet.cli import main; main()",
         "run", path, "--entry", "spin"], env=environment, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130 and err.strip() == "Stopped."


def test_values_of_the_command_line():
    assert number("1.5", 0x7D) == 0x3FC00000 and number("-0", 0x7C) == 1 << 63 and number("0x10", 0x7E) == 16
    assert spell(-(1 << 63), 0x7C) == 0.0 and spell(5, 0x7F) == 5
