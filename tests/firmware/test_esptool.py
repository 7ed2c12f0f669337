"""esptool against a boot ROM that is a program: flash, verify, wrong chip, interrupted."""

import dataclasses
import random

import pytest
from esp32_mock_bootloader import mock_bootloader

from firmware import boards, flash
from firmware.errors import FirmwareError

ESP32 = boards.load("esp32")


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "firmware.bin"
    path.write_bytes(random.Random(4).randbytes(128 * 1024))
    return path


def test_flash_shows_progress_and_verifies(image):
    seen = []
    with mock_bootloader("esp32") as board:
        output = flash.esp32(ESP32, image, board.url(), seen.append, before="no-reset", timeout_s=120)
    assert "Hash of data verified" in output
    assert seen[-1] == 100 and seen == sorted(seen)


def test_another_chip_is_named(image):
    with mock_bootloader("esp32c3") as board, pytest.raises(FirmwareError) as caught:
        flash.esp32(ESP32, image, board.url(), before="no-reset", timeout_s=120)
    assert "has another chip than a ESP32 (esp32)" in caught.value.sentence and "ESP32-C3" in caught.value.sentence


def test_too_little_flash_is_said_before_anything_is_written(image):
    larger, seen = dataclasses.replace(ESP32, min_flash_kib=8192), []
    with mock_bootloader("esp32") as board, pytest.raises(FirmwareError, match="too little flash: 4096 KiB, and .* needs 8192 KiB"):
        flash.esp32(larger, image, board.url(), seen.append, before="no-reset", timeout_s=120)
    assert not seen


def test_interrupted_says_so_and_the_next_attempt_succeeds(image):
    small = image.read_bytes()
    image.write_bytes(random.Random(5).randbytes(2 * 1024 * 1024))  # so long that it cannot be through before it is cut off
    with mock_bootloader("esp32") as board, pytest.raises(FirmwareError) as caught:
        flash.esp32(ESP32, image, board.url(), lambda percent: board.stop(), before="no-reset", timeout_s=120)
    assert caught.value.sentence
    image.write_bytes(small)
    with mock_bootloader("esp32") as board:
        flash.esp32(ESP32, image, board.url(), before="no-reset", timeout_s=120)


def test_no_port_is_answered_with_the_command_that_lists_them(image):
    with pytest.raises(FirmwareError, match="fleet ports"):
        flash.esp32(ESP32, image, "/dev/no-such-port", timeout_s=60)
