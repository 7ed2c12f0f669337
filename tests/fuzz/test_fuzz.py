"""Generated modules give in our engine what they give in wasmtime, on CPython and inside MicroPython; and the comparison has teeth."""

import json
import os
import time
from pathlib import Path

import pytest

from bench import vm
from mpwasm.native import thumb_values
from mpwasm.wasm import body, control, floats, interp, memory, numeric, wide
from tests import figures
from tests.fuzz import campaign, check, oracle
from tests.fuzz.cases import Case
from tests.native.unicorn_core import OnUnicorn

HERE = Path(__file__).resolve().parent
CASES = 1500
SECONDS = 90  # a busy machine runs fewer cases, not longer
LEAST = 200
IN_VM = 120
NATIVE = 300


def test_wasmtime_agrees():
    began = time.monotonic()
    tally = campaign.run("ci", range(CASES), began + SECONDS)
    figures.record("fuzz", f"{tally.cases} cases, {100 * tally.clean // tally.cases} % without a trap")
    assert not tally.findings, "\n\n".join(tally.findings)
    assert tally.cases >= LEAST and 2 * tally.clean >= tally.cases
    assert not tally.missing()
    assert tally.mutants > LEAST // 5 and 0 < tally.valid < tally.mutants


def test_cases_hold_nothing_of_the_process():
    before = len(os.listdir("/dev/fd"))
    campaign.run("descriptors", range(40), time.monotonic() + SECONDS)
    assert len(os.listdir("/dev/fd")) <= before + 2


def test_machine_code_agrees():
    """Some cases more, as Thumb code on an emulated Cortex-M0; `make fuzz` runs each case so."""
    tally = campaign.run("thumb", range(NATIVE), time.monotonic() + SECONDS, (OnUnicorn,))
    assert not tally.findings, "\n\n".join(tally.findings)
    assert tally.cases >= NATIVE // 5 and 2 * tally.clean >= tally.cases


def test_wrong_machine_code_is_found(monkeypatch):
    monkeypatch.setattr(thumb_values, "_CONDITIONS", b"\x00\x01\x0b\x0a\x0b\x0a")
    assert any(check.difference(Case("bite", number), OnUnicorn) for number in range(120))


def shipped(number):
    """A case as a line of JSON, with its outcome in wasmtime."""
    plain = Case("vm", number).plain()
    want = oracle.run(plain)
    return json.dumps(dict(plain, wasm=[raw.hex() for raw in plain["wasm"]], want=want))


def test_micropython_agrees():
    lines = "\n".join(shipped(number) for number in range(IN_VM))
    said = vm.run([HERE / "ours.py", HERE / "on_board.py"], {"cases.json": lines.encode()})
    assert said.split("\n")[0] == f"same {IN_VM}", said[:3000]


def wrong_shift(op, x, y, bits, right=numeric.shift):
    """shr_s that forgets the sign."""
    return right(8 if op == 7 else op, x, y, bits)


def wrong_below(x, y):
    """An unsigned comparison made signed."""
    return x < y


def wrong_round(self, negative, m, e, right=floats.Format.round):
    """Rounding that cuts off."""
    drop = max(floats.length(m) - self.digits, self.low - e, 0)
    return right(self, negative, m >> drop << drop, e)


def wrong_spill(self, slot=-1):
    """A local overwritten while its old value still is an operand."""


def wrong_grow(self, pages):
    """memory.grow that does nothing."""
    return self.pages


def wrong_types(self, label):
    """Branches to loops taken for branches to blocks."""
    return label.outs


BREAKS = (
    (wide, "shift", wrong_shift, 60),
    (interp, "below", wrong_below, 60),
    (floats.Format, "round", wrong_round, 60),
    (body.Body, "spill", wrong_spill, 120),
    (memory.Memory, "grow", wrong_grow, 120),
    (control.Control, "types_of", wrong_types, 240),
)


@pytest.mark.parametrize("place, name, wrong, within", BREAKS, ids=[f"{row[0].__name__}.{row[1]}" for row in BREAKS])
def test_an_engine_that_is_wrong_is_found(monkeypatch, place, name, wrong, within):
    monkeypatch.setattr(place, name, wrong)
    case = next(case for case in (Case("bite", number) for number in range(within)) if check.difference(case))
    monkeypatch.undo()
    assert check.difference(case) is None


def test_what_is_found_is_made_small(monkeypatch):
    monkeypatch.setattr(check, "SHRINK_S", 8)
    monkeypatch.setattr(wide, "shift", wrong_shift)
    case = next(case for case in (Case("bite", number) for number in range(200)) if check.difference(case))
    before = sum(len(maker.encode()) for maker in case.makers)
    check.shrink(case)
    after = sum(len(maker.encode()) for maker in case.makers)
    assert check.difference(case) and after < before / 2
    assert "shr_s" in check.listing(case)
