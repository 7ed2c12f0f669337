"""What bench/README.md says of machine code is what the newest committed rows say, and any folder of modules can be measured."""

import shutil
import subprocess
import sys

import wasmtime

from bench import table

ROWS = sorted((table.HERE / "results").glob("native-????-??-??.csv"))[-1]
LOOP = """(module (func (export "run") (result i32) (local i32)
  (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))) (local.get 0)))"""
OTHERS = {
    "wide": '(module (func (export "run") (result i64) (i64.mul (i64.const 0x123456789) (i64.const 1000003))))',
    "root": '(module (func (export "run") (result f64) (f64.sqrt (f64.const 2))))',
    "nothing": '(module (func (export "run")))',
    "other": '(module (func (export "go")))',
    "needy": '(module (import "gpio" "read" (func (param i32) (result i32))) (func (export "run") (result i32) (call 0 (i32.const 3))))',
}
PEERS = "kernel,native_cycles,checksum\nloop,3000,000003e8\n"


def bench(folder, *options):
    """What `bench.native` prints for a folder."""
    command = [sys.executable, "-m", "bench.native", "--quick", str(folder), *options]
    return subprocess.run(command, cwd=table.HERE.parent, capture_output=True, text=True)


def test_the_table_is_what_the_rows_say():
    assert table.section(ROWS) in table.README.read_text()


def test_a_changed_row_would_be_seen(tmp_path):
    changed = shutil.copy(ROWS, tmp_path / ROWS.name)
    changed.write_text(changed.read_text().replace(",fib,thumb,3", ",fib,thumb,4"))
    assert table.section(changed) not in table.README.read_text()


def test_any_folder_without_peers(tmp_path):
    for name, text in {**OTHERS, "loop": LOOP}.items():
        (tmp_path / f"{name}.wasm").write_bytes(wasmtime.wat2wasm(text))
    (tmp_path / "broken.wasm").write_bytes(b"\0asm\1\0\0\0\xff")
    done = bench(tmp_path)
    words = [line.split()[0] for line in done.stdout.splitlines()]
    assert done.returncode == 0 and {"loop", "wide", "root", "nothing", "other:", "needy:", "broken:"} <= set(words), done.stdout + done.stderr
    assert "needy: left out: unknown import: gpio.read" in done.stdout
    assert done.stdout.splitlines()[-1] == "geomean thumb: no peers.csv, so nothing to compare with"


def test_any_folder_with_peers(tmp_path):
    (tmp_path / "loop.wasm").write_bytes(wasmtime.wat2wasm(LOOP))
    (tmp_path / "peers.csv").write_text(PEERS)
    assert bench(tmp_path).stdout.splitlines()[-1].startswith("geomean thumb: 2.")
    (tmp_path / "peers.csv").write_text(PEERS.replace("3e8", "3e9"))
    assert bench(tmp_path).returncode and "loop: checksum 000003e8, not 000003e9" in bench(tmp_path).stderr


def test_a_folder_without_modules_is_an_error(tmp_path):
    done = bench(tmp_path)
    assert done.returncode == 2 and "has no .wasm files" in done.stderr
