"""limits.py says what the modules do: each module's private copy of a limit has the same value."""

import re
from pathlib import Path

import pytest

from mpwasm.wasm import limits

WASM = Path(__file__).parents[2] / "device" / "mpwasm" / "wasm"
COPIES = {
    "MAX_FRAME_WORDS": (("stack.py", "_MAX_FRAME"), ("body.py", "_MAX_FRAME")),
    "MAX_NESTING": (("stack.py", "_MAX_DEPTH"),),
    "MAX_UNITS": (("emit.py", "_MAX_UNITS"),),
    "MAX_TARGETS": (("control.py", "_MAX_TARGETS"),),
    "MAX_ENTRIES": (("load.py", "_MAX_ENTRIES"),),
    "MAX_TABLE": (("load.py", "_MAX_TABLE"), ("table.py", "_MAX_TABLE")),
    "DEFAULT_MEMORY": (("base.py", "_MEMORY"),),
    "DEFAULT_FRAMES": (("base.py", "_FRAMES"),),
    "READ_BUFFER": (("reader.py", "_BUFFER"),),
    "GRAIN": (("memory.py", "_GRAIN"),),
    "BACKTRACE": (("instance.py", "_BACKTRACE"),),
}


def test_every_limit_has_its_copies():
    assert set(COPIES) == {name for name in vars(limits) if name.isupper()}


@pytest.mark.parametrize("name", COPIES)
def test_copies_agree(name):
    for file, constant in COPIES[name]:
        match = re.search(rf"^{constant} = const\((.*)\)", (WASM / file).read_text(), re.MULTILINE)
        assert match, f"{file} has no {constant}"
        left, _, right = match.group(1).partition(" << ")
        assert int(left) << int(right or 0) == getattr(limits, name)
