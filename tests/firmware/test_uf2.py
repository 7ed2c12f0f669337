"""UF2 images go to the right boot drive only; the drives are folders here."""

import struct

import pytest

from firmware import boards, flash, ports
from firmware.errors import FirmwareError

PICO, PICO2 = boards.load("pico_w"), boards.load("pico2_w")


def block(number, count, family):
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * number, 256, number, count, family)
    return head + bytes(476) + struct.pack("<I", 0x0AB16F30)


def drive(folder, name="RPI-RP2"):
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {name}\r\n")
    return folder


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "firmware.uf2"
    path.write_bytes(b"".join(block(number, 300, PICO.family) for number in range(300)))
    return path


def test_the_drive_is_found_by_its_label(tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    found = drive(tmp_path / "boot")
    assert flash.find_drive(PICO, [stick, found]) == found
    assert flash.find_drive(PICO, [stick]) is None
    assert ports.boot_drives([stick, found])[0].kinds == ("pico", "pico_w")


def test_another_board_or_several_are_refused(tmp_path):
    first = drive(tmp_path / "one")
    with pytest.raises(FirmwareError, match="not a Raspberry Pi Pico 2 W"):
        flash.find_drive(PICO2, [first])
    with pytest.raises(FirmwareError, match="several boot drives"):
        flash.find_drive(PICO, [first, drive(tmp_path / "two")])


def test_waiting_for_the_drive(tmp_path):
    looks = []

    def folders():
        looks.append(1)
        return [drive(tmp_path / "boot")] if len(looks) == 3 else []

    assert flash.wait_for_drive(PICO, folders, 10, lambda seconds: None) == tmp_path / "boot"
    with pytest.raises(FirmwareError, match="hold BOOTSEL"):
        flash.wait_for_drive(PICO, lambda: [], 0, lambda seconds: None)


def test_the_image_is_copied_whole_with_progress(tmp_path, image):
    seen = []
    target = drive(tmp_path / "boot")
    flash.uf2(PICO, image, target, seen.append)
    assert (target / "firmware.uf2").read_bytes() == image.read_bytes()
    assert seen[-1] == 100 and len(seen) > 1


@pytest.mark.parametrize("spoil", [lambda d: d[:-100], lambda d: b"", lambda d: b"x" + d[1:], lambda d: block(0, 1, PICO2.family)])
def test_what_is_no_image_for_the_board_is_not_copied(tmp_path, image, spoil):
    image.write_bytes(spoil(image.read_bytes()))
    target = drive(tmp_path / "boot")
    with pytest.raises(FirmwareError):
        flash.uf2(PICO, image, target)
    assert not (target / "firmware.uf2").exists()


def test_a_drive_that_goes_away_in_the_middle_is_reported(tmp_path, image):
    with pytest.raises(FirmwareError, match="broke off after 0 of 153600 bytes"):
        flash.uf2(PICO, image, tmp_path / "gone")
