"""The serial ports of this machine and what is plugged into them, by the USB ids that makers use."""

from dataclasses import dataclass

from firmware import flash


@dataclass(frozen=True)
class Port:
    """A serial port, or a boot drive: `what` says what it is, `kind` names the boards it may be."""

    name: str
    what: str
    kinds: tuple
    serial: str


# (vendor, product) -> what it is, and the kinds of boards that it may be.
KNOWN = {
    (0x2E8A, 0x0005): ("MicroPython on a Raspberry Pi Pico", ("pico", "pico_w", "pico2_w")),
    (0x2E8A, 0x0003): ("RP2040 boot loader", ("pico", "pico_w")),
    (0x2E8A, 0x000F): ("RP2350 boot loader", ("pico2_w",)),
    (0x303A, 0x1001): ("ESP32 with its own USB", ("esp32_s3", "esp32_c3", "esp32_c6")),
    (0x303A, 0x4001): ("MicroPython on an ESP32-S3", ("esp32_s3",)),
    (0x10C4, 0xEA60): ("CP210x serial adapter, as on many ESP32 boards", ("esp32", "esp32_s3", "esp32_c3", "esp32_c6")),
    (0x1A86, 0x7523): ("CH340 serial adapter, as on many ESP32 boards", ("esp32", "esp32_s3", "esp32_c3", "esp32_c6")),
    (0x1A86, 0x55D4): ("CH9102 serial adapter, as on many ESP32 boards", ("esp32", "esp32_s3", "esp32_c3", "esp32_c6")),
    (0x0403, 0x6001): ("FTDI serial adapter", ("esp32",)),
}


def describe(vendor, product, text):
    """(what, kinds) of a USB device; `text` is what it calls itself."""
    return KNOWN.get((vendor, product), (text or "unknown serial port", ()))


def serial_ports():
    """All serial ports that are USB devices."""
    from serial.tools import list_ports

    found = []
    for port in sorted(list_ports.comports()):
        if port.vid is not None:
            what, kinds = describe(port.vid, port.pid, port.product or port.description)
            found.append(Port(port.device, what, kinds, port.serial_number or ""))
    return found


def boot_drives(folders=None):
    """All boot drives of RP2 boards that are mounted."""
    found = []
    for folder in flash.mounted() if folders is None else folders:
        name = flash.board_id(folder)
        if name:
            kinds = ("pico2_w",) if name.startswith("RP2350") else ("pico", "pico_w")
            found.append(Port(str(folder), f"boot drive of an {name}, ready for `fleet flash`", kinds, ""))
    return found


def everything():
    """Ports and boot drives."""
    return serial_ports() + boot_drives()
