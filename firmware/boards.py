"""The kinds of boards: one TOML file each below boards/, and the official image that goes with it from versions.toml."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from firmware.errors import FirmwareError

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Image:
    """An official firmware file: its name in the cache, where it comes from, its SHA-256 ("" if not known yet)."""

    name: str
    version: str
    file: str
    url: str
    sha256: str
    mpy: str


@dataclass(frozen=True)
class Kind:
    """One kind of board as its TOML file describes it; `method` is uf2 or esptool, `offset` an address, sizes are in KiB."""

    key: str
    title: str
    image: Image
    chip: str
    method: str
    machine: str
    arch: str
    wifi: bool
    heap_kib: int
    flash_kib: int
    pins: dict = field(hash=False)
    family: int = 0
    drive: str = ""
    offset: int = 0
    min_flash_kib: int = 0


def names():
    """The keys of all kinds, such as pico_w."""
    return sorted(path.stem for path in (HERE / "boards").glob("*.toml"))


def load(key):
    """The kind `key`; FirmwareError names those there are."""
    if key not in names():
        raise FirmwareError(f"There is no board {key}. Those there are: {', '.join(names())}.")
    table = tomllib.loads((HERE / "boards" / f"{key}.toml").read_text())
    return Kind(key=key, **{**table, "image": image(table["image"])})


def image(name):
    """The official image called `name` in versions.toml."""
    table = tomllib.loads((HERE / "versions.toml").read_text())
    return Image(name=name, url=table["publisher"] + table["image"][name]["file"], mpy=table["mpy"], **table["image"][name])


def by_machine(machine):
    """The kind whose firmware calls itself `machine` (sys.implementation._machine), or None."""
    return next((kind for kind in map(load, names()) if kind.machine == machine), None)
