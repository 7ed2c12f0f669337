"""`mpwasm.wasi.ports` against a stand-in for MicroPython's `machine` that takes only what the documentation of `machine` names."""

import sys
import types

import pytest

from mpwasm.wasi.ports import open_port

OWN = 0xFFFFFFFF


class Pin:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return self.number == other.number

    __hash__ = None


class Bus:
    """I2C(id, *, scl, sda, freq), SPI(id, baudrate, polarity, phase, sck, mosi, miso), UART(id, baudrate, tx, rx, timeout)."""

    def __init__(self, number, **settings):
        self.number, self.settings = number, settings


class Pwm:
    def __init__(self, pin):
        self.pin, self.hz = pin, None

    def freq(self, hz):
        self.hz = hz


@pytest.fixture
def machine(monkeypatch):
    fake = types.ModuleType("machine")
    fake.Pin, fake.I2C, fake.SPI, fake.UART, fake.PWM = Pin, Bus, Bus, Bus, Pwm
    monkeypatch.setitem(sys.modules, "machine", fake)
    return fake


def test_settings_are_handed_over_by_name(machine):
    assert open_port("i2c", 1, (400000, 5, 4)).settings == {"freq": 400000, "scl": Pin(5), "sda": Pin(4)}
    assert open_port("i2c", 1, (100000, OWN, OWN)).settings == {"freq": 100000}
    assert open_port("spi", 0, (1000000, 2, 2, OWN, 4)).settings == {"baudrate": 1000000, "polarity": 1, "phase": 0, "sck": Pin(2), "miso": Pin(4)}
    assert open_port("spi", 0, (1000000, 1, OWN, OWN, OWN)).settings == {"baudrate": 1000000, "polarity": 0, "phase": 1}
    assert open_port("uart", 1, (9600, 8, OWN)).settings == {"baudrate": 9600, "timeout": 0, "tx": Pin(8)}
    pwm = open_port("pwm", 15, (1000,))
    assert (pwm.pin, pwm.hz) == (Pin(15), 1000)


def test_a_port_that_lacks_a_class_says_so(machine):
    del machine.I2C
    with pytest.raises(ImportError):
        open_port("i2c", 0, (100000, OWN, OWN))
