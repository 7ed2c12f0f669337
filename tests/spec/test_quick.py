"""A quick part of the official suite, on both Pythons and as machine code; `make spec` runs the whole."""

import pytest

from tests.native import unicorn_core
from tests.spec import __main__ as spec
from tests.spec import suite


def test_quick(capsys):
    if suite.find() is None:
        pytest.skip(suite.MISSING)
    assert spec.main(["--quick"]) == 0
    last = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(name) for line in last) for name in ("cpython ", "thumb ", "rv32 ", "xtensa", "xtensa-fpu", "micropython "))


def test_a_broken_engine_is_noticed(monkeypatch, capsys):
    if suite.find() is None:
        pytest.skip(suite.MISSING)
    from mpwasm.wasm import interp

    monkeypatch.setattr(interp, "below", lambda x, y: x < y)
    name, _, failures = spec.on_cpython(suite.find(), "i32.json")
    assert len(failures) > 10


def test_broken_machine_code_is_noticed(monkeypatch):
    if suite.find() is None:
        pytest.skip(suite.MISSING)
    from mpwasm.native import thumb_values

    monkeypatch.setattr(thumb_values, "_CONDITIONS", b"\x00\x01\x0b\x0a\x0b\x0a")
    name, _, failures = spec.on_machine("thumb", suite.find(), "i32.json")
    assert len(failures) > 10


def test_without_the_library(monkeypatch):
    """What the templates leave out can be done by Python, too: what a port does that cannot read the library."""
    if suite.find() is None:
        pytest.skip(suite.MISSING)
    monkeypatch.setattr(unicorn_core.OnUnicorn, "library", False)
    for file in ("float_misc.json", "int_exprs.json"):
        name, counts, failures = spec.on_machine("thumb", suite.find(), file)
        assert counts and not failures


def test_every_exclusion_has_a_reason():
    assert len(suite.exclusions()) <= spec.MOST_EXCLUDED
    assert all(len(reason.strip()) > 40 for reason in suite.exclusions().values())
