"""How deep the agent's calls nest. A board's Python has C's stack of 8 KiB, on which official firmware nests 27 calls (measured on the emulated
Pico W, as `hil` has it: 27 to 37 by kind of call); where this Python's limit is a thousand, no other test would see too many."""

import contextlib
import sys
from pathlib import Path

import pytest
import soaking

from mpwasm.agent import making
from mpwasm.agent.store import Store
from mpwasm.wasm.load import load_module

MODULES = Path(__file__).parents[2] / "wasm_modules"
BEFORE = 8  # main.py, run, Supervisor.run, turn, _guarded, Install.start, bring, _made
MOST = 27
MOST_ESP32 = 46  # 16 KiB, larger frames: measured in QEMU


class Deepest:
    """The most calls of device code, and of `main`, that were ever open at a time: `names`, outermost first."""

    def __init__(self):
        self.names = []

    def __call__(self, frame, event, argument):
        if event == "call" and "mpwasm" in frame.f_code.co_filename:
            names = []
            while frame:
                if "mpwasm" in frame.f_code.co_filename or frame.f_code.co_filename == "main.py":
                    names.append(frame.f_code.co_qualname)
                frame = frame.f_back
            self.names = max(self.names, names[::-1], key=len)


@contextlib.contextmanager
def watched():
    seen, before = Deepest(), sys.getprofile()
    sys.setprofile(seen)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def test_a_depth_is_seen():
    with watched() as seen, (MODULES / "blink" / "blink.wasm").open("rb", buffering=0) as file:
        load_module(file)
    assert seen.names[0] == "load_module" and 10 < len(seen.names) < MOST


@pytest.mark.parametrize("path", sorted(MODULES.glob("*/*.wasm")), ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "architecture, most",
    [(4, MOST), (68, MOST), (10, MOST_ESP32), (74, MOST_ESP32), (11, MOST_ESP32)],
    ids=["thumb", "thumb2", "xtensa", "xtensa-fpu", "rv32"],
)
def test_the_depth_of_compiling(path, architecture, most, tmp_path):
    with path.open("rb", buffering=0) as file:
        module = load_module(file)
    task = making.image(Store(str(tmp_path), b"k" * 32), bytes(32), module, (architecture, 3))
    with watched() as seen:
        list(task)
    assert "compiling" in seen.names
    assert BEFORE + len(seen.names) <= most, seen.names


def test_an_updates_depth():
    soak = soaking.Soak(1 / 24, 2)
    with watched() as seen:
        soak.run()
    assert seen.names[0] == "<module>" and len(seen.names) <= MOST, seen.names
