"""`fleet inspect`: what it tells of good modules, and the one sentence for each that boards would refuse."""

import io
import json

import pytest
import wasmtime

from fleet import binary, inspection
from fleet.cli import run
from fleet.inspection import inspect
from mpwasm.wasi.table import groups
from mpwasm.wasm.load import load_module
from tests.fleet.site import REPO

BLINK = """(module
  (import "gpio" "write" (func $write (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $sp (mut i32) (i32.const 1024))
  (data (i32.const 1024) "hello")
  (func $tick (param $n i64) (drop (call $write (i32.const 15) (i32.extend8_s (i32.wrap_i64 (local.get $n))))))
  (func $_start (export "_start") (call $tick (i64.const 1))))"""


def wat(text):
    """The bytes of a module in text form."""
    return bytes(wasmtime.wat2wasm(text))


def refused(data):
    """The only refusal of a module."""
    report = inspect(data, "x.wasm")
    assert not report["accepted"]
    (refusal,) = report["refusals"]
    return refusal


def test_report_of_a_good_module():
    report = inspect(wat(BLINK), "blink.wasm")
    assert report["accepted"] and report["refusals"] == [] and report["entry"] == ["_start"]
    assert set(report["features"]) == {"i64", "sign-ext"}
    assert report["imports"][0] == {
        "module": "gpio",
        "name": "write",
        "kind": "function",
        "type": "(i32 i32) -> (i32)",
        "capability": "gpio:<pin>",
    }
    assert report["capabilities"] == ["args", "gpio:<pin>"]
    assert report["exports"] == [{"name": "memory", "kind": "memory", "type": ""}, {"name": "_start", "kind": "function", "type": "() -> ()"}]
    memory = report["memory"]
    assert (memory["declared"], memory["maximum"], memory["data"], memory["stack"]) == (65536, None, 256, 1024)
    assert memory["total"] == sum(memory[part] for part in ("data", "stack", "code", "frames", "tables", "records"))
    assert all(row["fits"] and row["needed"] == memory["total"] for row in report["boards"])


def test_frames_are_those_of_the_deepest_path():
    locals_ = " ".join(["i64"] * 40)
    deep = wat(f'(module (func $a (local {locals_})) (func $b (call $a)) (func $c (call $b)) (func (export "main") (call $c)))')
    sizes = [4 * row[3] for row in load_module(io.BytesIO(deep)).codes]
    assert inspect(deep, "x")["memory"]["frames"] == sum(sizes) - 256 and inspect(deep, "x")["entry"] == ["main"]
    endless = wat('(module (func $a (call $b)) (func $b (export "main") (call $a)))')
    memory = inspect(endless, "x")["memory"]
    assert memory["recursive"] and memory["frames"] == inspection.FRAME_LIMIT_BYTES - 256


# Bytes of heap that module and instance took inside the MicroPython VM, after what boards forget, with a stub for each host function.
MEASURED = {"blink": 2592, "sensor": 4576}


@pytest.mark.parametrize("name", MEASURED)
def test_the_estimate_is_near_what_was_measured(name):
    memory = inspect((REPO / "wasm_modules" / name / f"{name}.wasm").read_bytes(), name)["memory"]
    assert abs(memory["total"] - memory["stack"] - MEASURED[name]) < 0.15 * MEASURED[name], memory


def test_too_large_for_a_board():
    data = wat('(module (memory 4) (data (i32.const 0) "a") (data (i32.const 98303) "b"))')
    report = inspect(data, "x.wasm")
    assert report["accepted"] and [row["fits"] for row in report["boards"]] == [True, False]


@pytest.mark.parametrize(
    "text, feature, words",
    [
        ("(module (func $f (result v128) (v128.const i32x4 0 0 0 0)))", "simd128", "-mno-simd128"),
        ("(module (func $g (nop) (drop (i32x4.splat (i32.const 1)))))", "simd128", " in g at byte "),
        ("(module (memory 1 1 shared))", "threads", "-pthread"),
        ("(module (tag) (func (throw 0)))", "exception-handling", "-fno-exceptions"),
        ("(module (func $f (return_call $f)))", "tail-call", "-mno-tail-call"),
        ("(module (memory i64 1))", "memory64", "wasm32"),
        ("(module (memory 1) (memory 1))", "multimemory", "-mno-multimemory"),
        ("(module (type (struct (field i32))))", "gc", "linear memory"),
        ("(module (func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))",
         "wide-arithmetic", "-mno-wide-arithmetic"),
    ],
)  # fmt: skip
def test_what_boards_lack_is_named_with_the_flag_that_avoids_it(text, feature, words):
    refusal = refused(wat(text))
    assert refusal["feature"] == feature and words in refusal["sentence"] and refusal["offset"] > 8, refusal


@pytest.mark.parametrize(
    "text, words",
    [
        ('(module (import "env" "nothing" (func (param i32))))', "env.nothing (i32) -> ()"),
        ('(module (import "gojs" "runtime.ticks" (func (result f64))))', "-target=wasip1"),
        ('(module (import "wasi_unstable" "fd_write" (func (param i32))))', "wasm32-wasip1"),
        ('(module (import "env" "emscripten_memcpy_js" (func)))', "-sSTANDALONE_WASM"),
        ('(module (import "env" "memory" (memory 1)))', "--import-memory"),
        ('(module (import "env" "table" (table 1 funcref)))', "functions only"),
        ('(module (import "gpio" "read" (func (param f32 i64) (result f64))))', "gpio.read (f32 i64) -> (f64), here (i32) -> (i32)"),
    ],
)
def test_an_import_that_boards_lack_is_named(text, words):
    refusal = refused(wat(text))
    assert refusal["reason"] == "unlinkable" and words in refusal["sentence"], refusal


def test_all_missing_imports_are_told_at_once():
    report = inspect(wat('(module (import "a" "b" (func)) (import "gpio" "read" (func (param i32) (result i32))) (import "c" "d" (func)))'), "x")
    assert [refusal["sentence"][:15] for refusal in report["refusals"]] == ["It imports a.b ", "It imports c.d "]


def test_what_is_no_module():
    assert "00 61 73 6d" in refused(b"#!/bin/sh")["sentence"] and "00 61 73 6d" in refused(b"")["sentence"]
    assert "component" in refused(b"\0asm\x0d\0\x01\0rest")["sentence"]
    assert refused(wat(BLINK)[:60])["reason"] == "malformed"


def test_a_fault_is_placed_by_name_and_byte():
    good = wat("(module (func $ok) (func $bad (drop (i32.const 5))))")
    at = good.index(b"\x41\x05\x1a")
    refusal = refused(good[:at] + b"\x1a\x1a\x1a" + good[at + 3 :])
    assert refusal["function"] == "bad" and refusal["sentence"].startswith("It does not load: type mismatch in bad at byte "), refusal


def test_every_host_function_is_known_to_inspect():
    letters = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}
    for module, _, _, rows in groups():
        for name, params, results, *_ in map(str.split, rows.strip().split("\n")):
            spelt = [" ".join(letters[c] for c in text if c != "-") for text in (params, results)]
            data = wat(f'(module (import "{module}" "{name}" (func (param {spelt[0]}) (result {spelt[1]}))))')
            assert inspect(data, "x")["accepted"], name


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_nothing_that_is_cut_off_or_damaged_breaks_it(cut):
    data = wat(BLINK)
    inspect(data[:cut], "x")
    for value in (0x00, 0x7F, 0x80, 0xFF):
        inspect(data[:cut] + bytes([value]) + data[cut + 1 :], "x")


def test_names_and_bodies():
    found = binary.read(wat(BLINK))
    assert found.names == {0: "write", 2: "tick", 3: "_start"} and found.imported == 2 and len(found.bodies) == 2
    assert found.function_at(found.bodies[1][0]) == 3 and found.function_at(0) is None and found.label(9) == "function 9"


def test_command(tmp_path, capsys):
    file = tmp_path / "blink.wasm"
    file.write_bytes(wat(BLINK))
    assert run(["inspect", str(file)]) == 0
    out = capsys.readouterr().out
    assert "gpio.write                          (i32 i32) -> (i32)  needs gpio:<pin>" in out
    assert "accepted   needs the capabilities args, gpio:<pin>" in out
    assert run(["inspect", str(file), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == str(file)
    file.write_bytes(wat("(module (memory 1 1 shared))"))
    assert run(["inspect", str(file)]) == 1
    assert "refused    It uses threads" in capsys.readouterr().out
    assert run(["inspect", str(tmp_path / "nothing")]) == 1
    assert "No such file" in capsys.readouterr().err
