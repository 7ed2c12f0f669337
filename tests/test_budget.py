"""Heap that each device module takes once imported, held to tests/budgets.toml; and the sum of what stays resident.

By hand, with new figures to paste: ``python -m tests.test_budget``.
"""

import ast
import functools
import graphlib
import json
import subprocess
import tempfile
import tomllib
from pathlib import Path

import pytest

from fleet.sim import image, link, node
from tests import figures

TESTS = Path(__file__).resolve().parent
RESIDENT_LIMIT = 45 * 1024  # bytes: agent and engine together, so that a 32 KiB guest fits every board


def imported(path):
    """Names of our modules that the file imports while it is itself imported (not those inside functions)."""
    names = set()
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            names |= {statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)}
    return names


@functools.cache
def modules():
    """Dotted names of all device modules, so ordered that a module comes after what it imports, and pays only for itself."""
    needs = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): imported(path) for path, name in image.sources()}
    needs.pop("mpwasm", None)
    graph = {name: {need for need in wanted if need in needs} | ({name.rpartition(".")[0]} & set(needs)) for name, wanted in needs.items()}
    return list(graphlib.TopologicalSorter({name: sorted(graph[name]) for name in sorted(graph)}).static_order())


@functools.cache
def measure(mode, names):
    """{module: bytes, or the text of its import error} of `names` (a tuple), imported in that order in one fresh VM; modes: budget.mjs.
    "each" is of modules in files of their own, "all" of the files that a board gets."""
    with tempfile.TemporaryDirectory(prefix="mp-budget-") as flash:
        image.build(flash, linked=mode == "all")
        called = map(link.flat, names) if mode == "all" else names
        command = [node.find(), str(TESTS / "budget.mjs"), str(node.node_modules()), flash, mode, *called]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def measured():
    """What each device module takes by itself."""
    return measure("each", tuple(modules()))


def table():
    """tests/budgets.toml: {"resident": [modules whose import brings in all that stays], "module": {name: bytes}}."""
    return tomllib.loads((TESTS / "budgets.toml").read_text())


def report(sizes, budgets):
    """The table that the test prints."""
    rows = [f"{name:<32} {size!s:>7} {budgets.get(name, '-'):>7}" for name, size in sorted(sizes.items())]
    return "\n".join([f"{'module':<32} {'bytes':>7} {'budget':>7}", *rows])


@pytest.mark.parametrize("module", modules())
def test_module_within_budget(module):
    size, budgets = measured()[module], table()["module"]
    assert isinstance(size, int), size
    assert module in budgets, f"{module} takes {size} B and has no budget: add it to tests/budgets.toml (by hand: python -m tests.test_budget)"
    assert size <= budgets[module], f"{module} takes {size} B of heap, its budget is {budgets[module]} B"


def test_resident_within_budget():
    """All that the resident roots bring in fits; `make hil` and the agent's own tests measure it with a guest running."""
    sizes = measure("all", tuple(table()["resident"]))
    assert all(isinstance(size, int) for size in sizes.values()), sizes
    print(report(measured(), table()["module"]))
    figures.record("resident modules", f"{sum(sizes.values())} B of {RESIDENT_LIMIT}")
    assert sum(sizes.values()) <= RESIDENT_LIMIT, sizes


def test_no_budget_for_what_is_gone():
    assert set(table()["module"]) <= set(modules())


def main():
    """Print budgets.toml anew: 10 % above today's sizes; the resident roots are kept."""
    print("# Heap in bytes that device modules take when their .mpy is imported (32-bit VM; boards agree). `resident` names those whose import\n"
          "# brings in all that stays loaded while a guest runs: held to 45 KiB together. New figures: python -m tests.test_budget\n")
    print("resident = [" + ", ".join(f'"{name}"' for name in table()["resident"]) + "]\n\n[module]")
    for name, size in sorted(measured().items()):
        print(f'"{name}" = {(int(size * 1.1) + 127) // 64 * 64 if isinstance(size, int) else 0}')


if __name__ == "__main__":
    main()
