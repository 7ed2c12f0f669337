"""`machine` of a simulated board: pins and converters that the host watches and drives, reset, watchdog."""

from time import sleep_ms as _sleep_ms

import _board
import _vm
import uctypes as _uctypes

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_CAUSES = {"power": PWRON_RESET, "hard": HARD_RESET, "watchdog": WDT_RESET, "soft": SOFT_RESET}


def _number(pin):
    """The number of a Pin, or of a pin given as 15, "15" or "GP15"; raises ValueError for one the board lacks."""
    if isinstance(pin, Pin):
        return pin.number
    if isinstance(pin, str):
        pin = {"LED": 25}.get(pin) or int(pin[2:] if pin.startswith("GP") else pin)
    if not 0 <= pin < 30:
        raise ValueError("invalid pin")
    return pin


class Pin:
    """A general purpose pin, as on RP2040."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        self.number = _number(id)
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        """Set level first, then direction and pull, so that an output starts without a glitch."""
        if value is not None:
            _board.pin_out(self.number, 1 if value else 0)
        if pull != -1:
            _board.pin_pull(self.number, pull or 0)
        if mode != -1:
            _board.pin_mode(self.number, mode)

    def value(self, value=None):
        """Level of the pin, or set it."""
        if value is None:
            return _board.pin_in(self.number)
        _board.pin_out(self.number, 1 if value else 0)

    __call__ = value

    def on(self):
        """Drive the pin high."""
        self.value(1)

    def off(self):
        """Drive the pin low."""
        self.value(0)

    high = on
    low = off

    def toggle(self):
        """Drive the other level."""
        self.value(1 - self.value())

    def __repr__(self):
        return f"Pin(GPIO{self.number})"


class ADC:
    """A converter on pin 26 to 29, or on channel 0 to 4 (4 is the chip's own temperature)."""

    CORE_TEMP = 4

    def __init__(self, id):
        number = id if isinstance(id, int) and 0 <= id <= 4 else _number(id) - 26
        if not 0 <= number <= 4:
            raise ValueError("Pin doesn't have ADC capabilities")
        self._pin = 26 + number

    def read_u16(self):
        """The input as 0 to 65535."""
        return _board.adc(self._pin)


class WDT:
    """The watchdog: once made it cannot be stopped, and resets the board `timeout` ms after its last meal."""

    def __init__(self, id=0, timeout=5000):
        if not 1 <= timeout <= 8388:
            raise ValueError("timeout exceeds 8388")
        _board.watchdog(timeout)

    def feed(self):
        """Start the time-out anew."""
        _board.feed()


def reset():
    """Restart the board as its reset pin would."""
    _board.reset("hard")


def soft_reset():
    """Restart the interpreter."""
    _board.reset("soft")


def reset_cause():
    """Why the board started: one of the ..._RESET numbers."""
    return _CAUSES[_board.cause]


def unique_id():
    """The chip's serial number, 8 bytes."""
    buf = bytearray(8)
    _board.uid(_uctypes.addressof(buf))
    return bytes(buf)


def freq(hz=None):
    """Clock of the board this stands for, in Hz; setting it changes nothing here."""
    return 125000000 if hz is None else None


def idle():
    """Let the processor rest until something may have happened: 1 ms."""
    _vm.sleep(1)


def lightsleep(ms=0):
    """Rest for `ms` milliseconds."""
    _sleep_ms(ms)


def deepsleep(ms=0):
    """Rest for `ms` milliseconds, then restart."""
    _sleep_ms(ms)
    _board.reset("hard")


def disable_irq():
    """Interrupts do not exist here; returns the state to give to `enable_irq`."""
    return 0


def enable_irq(state=0):
    """See `disable_irq`."""
