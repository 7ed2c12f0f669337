"""Finds the official test suite: beside the project, at $WASM_SPEC_SUITE, or downloaded; and the commands we exclude."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = "wasm-2.0.tar.xz"
COMMIT = "3a04b2cf93bd8fce277458d419eea8d9c326345c"
DOWNLOAD = f"https://github.com/WebAssembly/testsuite/archive/{COMMIT}.tar.gz"
MISSING = (
    "the official suite is not here: put wasm-2.0.tar.xz (WebAssembly/testsuite at commit 3a04b2c, converted by wabt's wast2json) into "
    "../shared/spec, or name its folder in $WASM_SPEC_SUITE, or run where github.com and Debian's wabt are at hand"
)
TIMEOUT_S = 60


def find():
    """The folder with the suite's JSON and wasm files, unpacked once into build/; None where there is none."""
    named = os.environ.get("WASM_SPEC_SUITE")
    for place in (ROOT.parent / "shared" / "spec", Path(named) if named else None):
        if place is None:
            continue
        if any(place.glob("*.json")):
            return place
        if (place / ARCHIVE).is_file():
            return unpack(place / ARCHIVE)
    return download(ROOT / "build" / "spec" / COMMIT)


def download(target, address=DOWNLOAD):
    """Fetch the pinned commit once and convert it into `target`; None where that cannot be done (no wast2json, no network)."""
    if target.is_dir():
        return target
    if shutil.which("wast2json") is None:
        return None
    half = target.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer, tarfile.open(fileobj=answer, mode="r|gz") as tar:
            tar.extractall(half / "source", filter="data")
    except (urllib.error.URLError, TimeoutError):
        return None
    for script in sorted((half / "source").glob("*/*.wast")):
        if not script.name.startswith("simd_"):
            subprocess.run(["wast2json", script, "-o", half / f"{script.stem}.json"], check=True, timeout=TIMEOUT_S)
    shutil.rmtree(half / "source")
    half.rename(target)
    return target


def unpack(archive):
    """Unpack `archive` into a folder of build/ named by its digest."""
    target = ROOT / "build" / "spec" / hashlib.sha256(archive.read_bytes()).hexdigest()[:16]
    if not target.is_dir():
        half = target.with_suffix(".half")
        with tarfile.open(archive) as tar:
            tar.extractall(half, filter="data")
        half.rename(target)
    return next(p.parent for p in target.rglob("i32.json"))


def files(folder):
    """The command files, by name."""
    return sorted(path.name for path in folder.glob("*.json"))


def exclusions():
    """{(file, line): reason}."""
    table = tomllib.loads((Path(__file__).parent / "exclusions.toml").read_text())
    return {(name, row["line"]): row["reason"] for name, rows in table.items() for row in rows}
