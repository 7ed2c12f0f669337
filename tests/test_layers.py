"""Imports point one way: the house rules of DESIGN.md, read off the syntax tree of every file."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BASE = ("mpwasm.errors", "mpwasm.compat")
# Who may import whom: prefix of the importing module -> prefixes of ours that it may import (the longest prefix decides).
RULES = {
    "mpwasm.errors": (),
    "mpwasm.compat": (),
    "mpwasm.explain": ("mpwasm.errors", "mpwasm.wasm"),  # on the host only
    "mpwasm.wasm": (*BASE, "mpwasm.wasm"),
    "mpwasm.wire": (*BASE, "mpwasm.wire"),
    "mpwasm.native": (*BASE, "mpwasm.wasm", "mpwasm.native"),
    "mpwasm.wasi": (*BASE, "mpwasm.wasm", "mpwasm.wasi"),
    "mpwasm.api": (*BASE, "mpwasm.wasm"),
    "mpwasm.agent": (*BASE, "mpwasm.wasm", "mpwasm.wire", "mpwasm.native", "mpwasm.wasi", "mpwasm.agent"),
    "main": ("mpwasm.agent",),
    "fleet": ("fleet", *BASE, "mpwasm.explain", "mpwasm.wasm", "mpwasm.wasi", "mpwasm.native", "mpwasm.wire"),
    "fleet.commands.flash": ("fleet", "firmware", *BASE, "mpwasm.wire"),
    "fleet.commands.ports": ("fleet", "firmware"),
    "fleet.commands.doctor": ("fleet", "firmware", "mpwasm.wire"),
    "fleet.model": (),
    "fleet.rollout": (),
    "firmware": ("firmware", *BASE, "mpwasm.wire"),
    "hil": ("hil", "fleet.client"),
    "hil.js_board": ("hil", "fleet.sim.node"),
}
OURS = ("mpwasm", "fleet", "firmware", "hil", "tests", "main")
# What a stock board has; anything else on the device is an import that fails in the field.
BOARD_MODULES = {
    "array",
    "binascii",
    "collections",
    "deflate",
    "errno",
    "gc",
    "hashlib",
    "io",
    "json",
    "machine",
    "math",
    "micropython",
    "network",
    "os",
    "random",
    "select",
    "socket",
    "ssl",
    "struct",
    "sys",
    "time",
    "uctypes",
    "vfs",
    "esp",
    "esp32",
    "_thread",
    "rp2",
}


def files():
    """(module name, path) of every Python file the rules speak of."""
    found = [("main", ROOT / "device" / "main.py")] if (ROOT / "device" / "main.py").exists() else []
    for folder, base in ((ROOT / "device" / "mpwasm", ROOT / "device"), (ROOT / "fleet", ROOT), (ROOT / "firmware", ROOT), (ROOT / "hil", ROOT)):
        for path in sorted(folder.rglob("*.py")):
            if "board_lib" not in path.parts:
                found.append((".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__"), path))
    return found


def imports(module, tree, package):
    """Full names that the module imports, wherever in the file: `from a import b` counts as `a.b` and `a`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, [alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".") if package else module.split(".")[:-1]
            base = ".".join(parts[: len(parts) - (node.level - 1)]) if node.level else ""
            origin = ".".join(part for part in (base, node.module or "") if part)
            yield from ((node.lineno, [f"{origin}.{alias.name}", origin]) for alias in node.names)


def allowed(module):
    """What the longest matching rule lets `module` import."""
    matching = [prefix for prefix in RULES if module == prefix or module.startswith(prefix + ".")]
    return RULES[max(matching, key=len)] if matching else ()


def within(name, prefix):
    """Whether the dotted `name` is `prefix` or lies below it."""
    return name == prefix or name.startswith(prefix + ".")


def violations(module, source, package=False):
    """Lines of `source` that import against the rules, as text."""
    found = []
    for line, names in imports(module, ast.parse(source), package):
        ours = names[0].split(".")[0] in OURS
        if ours and names[-1] != "mpwasm" and not any(within(name, prefix) for name in names for prefix in allowed(module)):
            found.append(f"{module}:{line} imports {names[0]}")
        elif ours and names[-1] == "mpwasm" and len(names) == 2 and not any(within(names[0], prefix) for prefix in allowed(module)):
            found.append(f"{module}:{line} imports {names[0]}")
        elif not ours and within(module, "mpwasm") and names[-1].split(".")[0] not in BOARD_MODULES and "mpwasm.explain" != module:
            found.append(f"{module}:{line} imports {names[-1]}, which boards lack")
    return found


def test_imports_point_one_way():
    found = [line for module, path in files() for line in violations(module, path.read_text(), path.name == "__init__.py")]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "module, source, bad",
    [
        ("mpwasm.wire.mac", "from mpwasm.wasm import load", True),
        ("mpwasm.wire.mac", "def f():\n    import mpwasm.wasm.load", True),
        ("mpwasm.wire.mac", "from mpwasm import agent", True),
        ("mpwasm.wire.mac", "from mpwasm.errors import Refused\nfrom mpwasm.wire import cbor\nimport struct", False),
        ("mpwasm.wire.mac", "from . import cbor", False),
        ("mpwasm.wire.mac", "from ..wasm import load", True),
        ("mpwasm.wire.mac", "import typing", True),
        ("mpwasm.errors", "from mpwasm.compat import const", True),
        ("mpwasm.wasi.api", "from mpwasm.wasm.instance import DONE", False),
        ("mpwasm.wasi.api", "from mpwasm.agent import log", True),
        ("fleet.push", "from mpwasm.agent import log", True),
        ("fleet.push", "from mpwasm.wire import manifest", False),
        ("fleet.model", "import fleet.store", True),
        ("hil.emulated", "from fleet.sim import image", True),
    ],
)
def test_the_rule_itself(module, source, bad):
    assert bool(violations(module, source)) is bad


def test_fleet_has_one_mqtt_import():
    """paho-mqtt is imported in fleet/bus.py alone; the standard library needs no list."""
    assert "paho" not in sys.stdlib_module_names
    users = [
        path.name for module, path in files() for _, names in imports(module, ast.parse(path.read_text()), False) if names[-1].split(".")[0] == "paho"
    ]
    assert set(users) <= {"bus.py"}
