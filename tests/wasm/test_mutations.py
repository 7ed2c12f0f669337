"""10,000 mutations of real modules: only the named errors, and never a hang (issue: bytes nobody trusts)."""

import io
from collections import Counter
from pathlib import Path

from mutations import Random, mutate, rich, run

from mpwasm.errors import WasmError
from mpwasm.explain import SENTENCES, explain
from mpwasm.wasm.load import load_module

ROOT = Path(__file__).parents[2]
CASES = 10_000


def corpus():
    """Real modules: the examples, and one that uses what they do not (tables, i64, br_table, start)."""
    modules = [path.read_bytes() for path in sorted((ROOT / "wasm_modules").glob("*/*.wasm"))]
    assert modules
    return [*modules, rich()]


def test_mutations():
    rng = Random(20261123)
    modules = corpus()
    ends = Counter(run(mutate(rng, modules[rng.below(len(modules))])) for _ in range(CASES))
    print("mutations:", dict(ends))
    assert sum(ends.values()) == CASES and ends["ran"] > CASES // 50 and ends["Malformed"] > CASES // 4 and ends["Invalid"] > CASES // 50


def test_every_error_has_a_sentence():
    rng = Random(5)
    seen = set()
    for _ in range(2000):
        try:
            load_module(io.BytesIO(mutate(rng, rich())))
        except WasmError as error:
            assert error.code in SENTENCES and explain(error)
            seen.add(error.code)
    assert len(seen) > 15


def test_random_bytes():
    rng = Random(7)
    for _ in range(2000):
        raw = rng.bytes(rng.below(200))
        assert run(raw) == "Malformed"
        assert run(b"\x00asm\x01\x00\x00\x00" + raw) in ("Malformed", "Invalid", "ran")


def test_every_truncation():
    for raw in corpus():
        for cut in range(len(raw)):
            run(raw[:cut])
