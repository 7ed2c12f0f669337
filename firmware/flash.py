"""Puts an official image on a board: esptool over the serial port for ESP32 chips, a file copy to the boot drive for RP2 chips."""

import os
import re
import struct
import time
from pathlib import Path

from firmware.errors import FirmwareError
from firmware.tool import run

WRITE_S = 300
DRIVE_S = 60
_BAUD = 460800
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_SIZE = re.compile(r"Detected flash size: (\d+)(KB|MB)")
_UF2_MAGIC = (0x0A324655, 0x9E5D5157)
_UF2_BLOCK = 512

# What esptool says, and what to do about it.
_CURES = (
    ("Permission denied", "You may not use {port}. Add yourself to the group that owns it (often dialout), log in again, and retry."),
    ("could not open port", "{port} cannot be opened. Is the board plugged in, and no other program using it? `fleet ports` lists the ports."),
    ("No such file", "There is no {port}. `fleet ports` lists the ports there are."),
    ("This chip is", "{port} has another chip than a {title} ({chip}): {line}. Choose the right --board."),
    ("No serial data received", "The chip on {port} does not answer. Hold BOOT, tap RESET, let go of BOOT, and retry."),
    ("Failed to connect", "The chip on {port} does not answer. Hold BOOT, tap RESET, let go of BOOT, and retry."),
    ("flash size", "The board has too little flash: {line}"),
    ("MD5 of file does not match", "What was written to the flash reads back differently: the flash or the cable is bad."),
)


def _cure(output, **facts):
    """The sentence for what went wrong."""
    for mark, sentence in _CURES:
        line = next((line for line in output.splitlines() if mark.lower() in line.lower()), None)
        if line is not None:
            return sentence.format(line=line.strip(), **facts)
    return f"esptool could not write to {facts['port']}: {(output.strip().splitlines() or ['it said nothing'])[-1]}"


def check_size(kind, port, before="default-reset", timeout_s=WRITE_S):
    """KiB of flash that the chip on `port` has; FirmwareError if that is too little for the kind, or the chip is another."""
    done = run("esptool", ["--chip", kind.chip, "--port", port, "--before", before, "--after", "no-reset", "flash-id"], timeout_s)
    if done.code:
        raise FirmwareError(_cure(done.output, port=port, title=kind.title, chip=kind.chip))
    found = _SIZE.search(done.output)
    if not found:
        raise FirmwareError(f"The flash of the chip on {port} does not say how large it is: it is bad, or not connected.")
    size_kib = int(found.group(1)) << (10 if found.group(2) == "MB" else 0)
    if size_kib < kind.min_flash_kib:
        raise FirmwareError(f"The board has too little flash: {size_kib} KiB, and MicroPython for a {kind.title} needs {kind.min_flash_kib} KiB.")
    return size_kib


def esp32(kind, image, port, progress=None, before="default-reset", timeout_s=WRITE_S, erase=False):
    """Write the image file at the kind's offset by esptool and let it verify; `progress(percent)`. Raises FirmwareError."""
    check_size(kind, port, before, timeout_s)
    common = ["--chip", kind.chip, "--port", port, "--baud", _BAUD, "--before", before, "--after", "hard-reset"]
    command = [*common, "write-flash", "--flash-size", "detect", *(["--erase-all"] if erase else []), hex(kind.offset), image]

    def say(line):
        found = _PERCENT.search(line)
        if progress and found:
            progress(float(found.group(1)))

    done = run("esptool", command, timeout_s, say)
    if done.code:
        raise FirmwareError(_cure(done.output, port=port, title=kind.title, chip=kind.chip))
    if "Hash of data verified" not in done.output:
        raise FirmwareError(f"esptool did not verify what it wrote to {port}. Its last words: {done.output.splitlines()[-1]}")
    return done.output


def mounted():
    """The folders below which systems mount drives."""
    user = os.environ.get("USER", "")
    roots = [Path("/media"), Path("/media") / user, Path("/run/media") / user, Path("/mnt"), Path("/Volumes")]
    return [path for root in roots if root.is_dir() for path in root.iterdir() if path.is_dir()]


def board_id(folder):
    """The Board-ID of INFO_UF2.TXT in a drive, or None if it is no boot drive."""
    try:
        text = (folder / "INFO_UF2.TXT").read_text(errors="replace")
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Board-ID:")), None)


def find_drive(kind, folders=None):
    """The boot drive of a board of this kind, or None. FirmwareError if there are several, or one of another kind."""
    found = {folder: name for folder in (mounted() if folders is None else folders) if (name := board_id(folder))}
    fitting = [folder for folder, name in found.items() if name.startswith(kind.drive)]
    if len(fitting) > 1:
        raise FirmwareError(f"There are several boot drives: {', '.join(map(str, fitting))}. Unplug all but one.")
    if found and not fitting:
        folder, name = next(iter(found.items()))
        raise FirmwareError(f"The board at {folder} is a {name}, not a {kind.title}. Choose the right --board.")
    return fitting[0] if fitting else None


def wait_for_drive(kind, folders=None, timeout_s=DRIVE_S, sleep=time.sleep):
    """The boot drive, once it is there. Raises FirmwareError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while (drive := find_drive(kind, folders() if folders else None)) is None:
        if time.monotonic() > deadline:
            raise FirmwareError(
                f"No boot drive of a {kind.title} appeared. Unplug the board, hold BOOTSEL while you plug it in, "
                "and mount the drive if your system doesn't."
            )
        sleep(0.5)
    return drive


def check_uf2(kind, image):
    """FirmwareError unless the file is a whole UF2 image for the kind's family."""
    data = Path(image).read_bytes()
    if len(data) % _UF2_BLOCK or not data:
        raise FirmwareError(f"{image} is no UF2 image, or only a part of one.")
    blocks = len(data) // _UF2_BLOCK
    families = set()
    for number in range(blocks):
        first, second, _, _, _, _, _, family = struct.unpack_from("<8I", data, number * _UF2_BLOCK)
        if (first, second) != _UF2_MAGIC:
            raise FirmwareError(f"{image} is no UF2 image: block {number} lacks its mark.")
        families.add(family)
    if kind.family not in families:
        raise FirmwareError(f"{image} is not for a {kind.title}: its family is {min(families):#x}, not {kind.family:#x}.")
    return blocks


def uf2(kind, image, drive, progress=None):
    """Copy the image to the boot drive; `progress(percent)`. The board restarts when it has it all. Raises FirmwareError."""
    check_uf2(kind, image)
    data, written = Path(image).read_bytes(), 0
    try:
        with open(Path(drive) / Path(image).name, "wb") as file:
            while written < len(data):
                written += file.write(data[written : written + 65536])
                if progress:
                    progress(100 * written / len(data))
            file.flush()
            os.fsync(file.fileno())
    except PermissionError as error:
        raise FirmwareError(f"You may not write to {drive}. Mount it for your user, or copy {image} to it by hand.") from error
    except OSError as error:
        if written < len(data):  # the board restarts, and the drive goes, once it has the last block
            raise FirmwareError(f"Copying to {drive} broke off after {written} of {len(data)} bytes ({error.strerror}). Try again.") from error
