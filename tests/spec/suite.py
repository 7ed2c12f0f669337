"""Finds the official test suite: beside the project, at $WASM_SPEC_SUITE, or nowhere; and the commands we exclude."""

import hashlib
import os
import tarfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = "wasm-2.0.tar.xz"
MISSING = (
    "the official suite is not here: put wasm-2.0.tar.xz (WebAssembly/testsuite at commit 3a04b2c, converted by wabt's wast2json) into "
    "../shared/spec, or name its folder in $WASM_SPEC_SUITE"
)


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
    return None


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
