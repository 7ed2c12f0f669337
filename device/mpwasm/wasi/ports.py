"""The buses of the board this runs on, out of MicroPython's `machine`: https://docs.micropython.org/en/latest/library/machine.html

`open_port(kind, number, settings)` is what a `Board` without a ``port`` method of its own gives to guests.
"""

from mpwasm.compat import const

_NONE = const(0xFFFFFFFF)


def open_port(kind, number, settings):
    """A `machine` object: "i2c" (hz, scl, sda), "spi" (hz, mode, sck, mosi, miso), "uart" (baud, tx, rx), "pwm" (hz,).

    Pins of 0xFFFFFFFF are left to the board. Raises ValueError, OSError, or ImportError where the port lacks the class.
    """
    if kind == "i2c":
        from machine import I2C

        return I2C(number, freq=settings[0], **_pins(("scl", "sda"), settings[1:]))
    if kind == "spi":
        from machine import SPI

        pins = _pins(("sck", "mosi", "miso"), settings[2:])
        return SPI(number, baudrate=settings[0], polarity=settings[1] >> 1, phase=settings[1] & 1, **pins)
    if kind == "uart":
        from machine import UART

        return UART(number, baudrate=settings[0], timeout=0, **_pins(("tx", "rx"), settings[1:]))
    from machine import PWM, Pin

    pwm = PWM(Pin(number))
    pwm.freq(settings[0])
    return pwm


def _pins(names, numbers):
    from machine import Pin

    found = {}
    for i in range(len(names)):
        if numbers[i] != _NONE:
            found[names[i]] = Pin(numbers[i])
    return found
