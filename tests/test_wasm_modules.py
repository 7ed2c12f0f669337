"""The guests of wasm_modules/: their source gives the committed bytes, and they do what expected.txt says, on our engine and on wasmtime.

expected.txt is what a guest does, one act a line: `adc PIN VALUE` and `in PIN LEVEL` are what it is given to read, `pin PIN LEVEL`,
`log TEXT` and `tele NAME VALUE SCALE` what it must do then. After the last line it is stopped at its next sleep.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import wasmtime

from mpwasm.errors import GuestExit
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module

MODULES = Path(__file__).resolve().parents[1] / "wasm_modules"
NAMES = sorted(path.parent.name for path in MODULES.glob("*/manifest.toml"))


class World:
    """A scripted board behind the host functions; `load(address, count)` and `store(address, bytes)` reach guest memory."""

    def __init__(self, lines):
        self.lines, self.acts = lines, []
        self.inputs = [line for line in lines if line.startswith(("adc ", "in "))]

    def function(self, module, name):
        """The method that stands for an import."""
        return getattr(self, name if module == "wasi_snapshot_preview1" else f"{module}_{name}")

    def gpio_configure(self, pin, mode):
        return 0

    def gpio_write(self, pin, level):
        self.acts.append(f"pin {pin} {level}")
        return 0

    def given(self, kind, pin):
        """The next input, which must be of `pin`."""
        line = self.inputs.pop(0)
        assert line.split()[:2] == [kind, str(pin)]
        self.acts.append(line)
        return int(line.split()[2])

    def gpio_read(self, pin):
        return self.given("in", pin)

    def adc_read(self, pin):
        return self.given("adc", pin)

    def telemetry_publish(self, name, length, value, scale):
        signed = [number - (1 << 32) if number >> 31 else number for number in (value & 0xFFFFFFFF, scale & 0xFFFFFFFF)]
        self.acts.append(f"tele {self.load(name, length).decode()} {signed[0]} {signed[1]}")
        return 0

    def env_abort(self, message, file, line, column):
        raise AssertionError(f"abort at line {line}")

    def fd_write(self, fd, parts, count, written):
        text = b""
        for i in range(count):
            entry = self.load(parts + 8 * i, 8)
            text += self.load(int.from_bytes(entry[:4], "little"), int.from_bytes(entry[4:], "little"))
        assert fd == 1 and text.endswith(b"\n")
        self.acts.append("log " + text[:-1].decode())
        self.store(written, len(text).to_bytes(4, "little"))
        return 0

    def poll_oneoff(self, wishes, events, count, done):
        wish = self.load(wishes, 48)
        assert (
            count == 1
            and wish[8] == 0
            and int.from_bytes(wish[16:20], "little") == 1
            and int.from_bytes(wish[24:32], "little") in (500_000_000, 1_000_000_000)
        )
        if len(self.acts) >= len(self.lines):
            raise GuestExit(0)
        self.store(done, b"\x01\0\0\0")
        return 0

    def proc_exit(self, code):
        raise GuestExit(code)


def on_our_engine(payload, world):
    """Run the module in our engine until the world stops it."""

    def resolve(module, name, params, results):
        return lambda inst, *arguments: world.function(module, name)(*arguments)

    inst = Instance(load_module(payload.open("rb")), resolve, max_memory=8192)

    def load(address, count):
        buffer = bytearray(count)
        inst.memory.load(address, buffer)
        return bytes(buffer)

    world.load, world.store = load, inst.memory.store
    with pytest.raises(GuestExit) as stop:
        inst.call("_start")
    assert stop.value.code == 0
    return inst


def on_wasmtime(payload, world):
    """Run the module in wasmtime until the world stops it."""
    engine = wasmtime.Engine()
    store, module = wasmtime.Store(engine), wasmtime.Module.from_file(engine, str(payload))
    instance = wasmtime.Instance(store, module, [wasmtime.Func(store, row.type, world.function(row.module, row.name)) for row in module.imports])
    memory = instance.exports(store)["memory"]
    world.load = lambda address, count: bytes(memory.read(store, address, address + count))
    world.store = lambda address, data: memory.write(store, data, address)
    with pytest.raises(GuestExit):
        instance.exports(store)["_start"](store)


@pytest.mark.parametrize("run", [on_our_engine, on_wasmtime])
@pytest.mark.parametrize("name", NAMES)
def test_does_what_is_expected(name, run):
    lines = (MODULES / name / "expected.txt").read_text().splitlines()
    world = World(lines)
    run(MODULES / name / f"{name}.wasm", world)
    assert world.acts == lines


def test_a_zig_module_linked_by_default_runs_in_8_kib():
    """Its linker puts stack and data at 1 MiB; the board commits what is touched there, and no more."""
    lines = (MODULES / "pid" / "expected.txt").read_text().splitlines()
    inst = on_our_engine(MODULES / "pid" / "pid.wasm", World(lines))
    assert inst.module.memory[0] > 16 and inst.memory.base > 1 << 19
    assert len(inst.memory.data) <= 8192


def test_every_toolchain_has_an_example():
    assert {path.suffix for name in NAMES for path in (MODULES / name).iterdir()} >= {".c", ".zig", ".ts", ".wat"}


def test_source_gives_the_committed_bytes(tmp_path):
    subprocess.run(["make", "-s", "-C", str(MODULES), f"PYTHON={sys.executable}", f"OUT={tmp_path}"], check=True, capture_output=True)
    for name in NAMES:
        assert (tmp_path / name / f"{name}.wasm").read_bytes() == (MODULES / name / f"{name}.wasm").read_bytes(), name


@pytest.mark.parametrize("name", NAMES)
def test_manifest_grants_what_is_imported(name):
    settings = tomllib.loads((MODULES / name / "manifest.toml").read_text())
    assert set(settings) == {"name", "version", "capabilities", "memory", "fuel", "entry", "confirm_s", "tries", "config"}
    module = load_module((MODULES / name / f"{name}.wasm").open("rb"))
    kinds = {capability.split(":")[0] for capability in settings["capabilities"]}
    needs = {row[0] for row in module.imports} - {"wasi_snapshot_preview1", "env"}
    assert settings["name"] == name and settings["entry"] in module.exports and needs <= kinds
    assert {"poll_oneoff": "clock", "fd_write": "log"}.keys() & {row[1] for row in module.imports} <= {
        "poll_oneoff" if "clock" in kinds else "",
        "fd_write" if "log" in kinds else "",
    }
