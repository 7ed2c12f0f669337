"""Which machine code a port takes, by the number that its firmware tells."""

import pytest

from mpwasm.native import targets
from mpwasm.native.targets import ARMV6M, RV32IMC, THUMB2, XTENSAWIN

# `sys.implementation._mpy` of firmware: version 6, sub-version 3, architecture; ESP32_GENERIC 1.26.1 says 0x2B06.
PORTS = {"rp2": (0x1306, ARMV6M), "stm32": (0x1F06, THUMB2), "RP2350, Arm": (0x1B06, THUMB2), "esp32": (0x2B06, XTENSAWIN), "C3": (0x2F06, RV32IMC)}
NONE = {"webassembly": 0x0006, "CPython": 0, "1.22": 0x1206, "unix, x64": 0x0B06, "esp8266": 0x2706, "version 7": 0x1307}


@pytest.mark.parametrize("port", PORTS)
def test_ports_that_take_ours(port):
    mpy, family = PORTS[port]
    assert targets.target(mpy) == (family, 3)


@pytest.mark.parametrize("port", NONE)
def test_ports_that_take_none(port):
    assert targets.target(NONE[port]) is None


def test_here_is_none():
    assert targets.target() is None
