"""Host functions of our own: `gpio`, `adc`, `telemetry`. Results are >= 0, or -errno with WASI's numbers."""

from mpwasm.compat import const

_INVAL = const(28)
_NOTCAPABLE = const(76)
_MAX_PIN = const(255)
_MAX_NAME_BYTES = const(32)
_MAX_SCALE = const(18)
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"


def signed(value):
    """The i32 bit pattern `value` as a number in -2^31..2^31-1."""
    return value - 0x100000000 if value & 0x80000000 else value


class Part:
    """Pins, converters and readings of one guest. A pin is granted and known once it is configured."""

    def __init__(self, context):
        self.board = context.board
        self.grants = context.grants
        self.sink = context.sink
        self.pins = {}
        self.modes = {}
        self.adcs = {}

    def _why_not(self, kind, pin):
        """-ENOTCAPABLE where `pin` isn't granted, else -EINVAL: it is granted but unknown or not configured."""
        return -_INVAL if self.grants.allow("%s:%d" % (kind, pin)) else -_NOTCAPABLE

    def gpio_configure(self, inst, pin, mode):
        """Make a pin an input (mode 0), output (1), input with pull-up (2) or pull-down (3)."""
        if not self.grants.allow("gpio:%d" % pin):
            return -_NOTCAPABLE
        if mode > 3 or pin > _MAX_PIN:
            return -_INVAL
        try:
            self.pins[pin] = self.board.pin(pin, mode)
        except (ValueError, OSError):
            return -_INVAL
        self.modes[pin] = mode
        return 0

    def gpio_read(self, inst, pin):
        """Level of a configured pin, 0 or 1."""
        p = self.pins.get(pin)
        if p is None:
            return self._why_not("gpio", pin)
        return 1 if p.value() else 0

    def gpio_write(self, inst, pin, level):
        """Set a pin that was configured as output to 0 or 1 (anything but 0)."""
        p = self.pins.get(pin)
        if p is None:
            return self._why_not("gpio", pin)
        if self.modes[pin] != 1:
            return -_INVAL
        p.value(1 if level else 0)
        return 0

    def adc_read(self, inst, pin):
        """Voltage at an analogue pin, 0..65535 of full scale."""
        a = self.adcs.get(pin)
        if a is None:
            if not self.grants.allow("adc:%d" % pin):
                return -_NOTCAPABLE
            if pin > _MAX_PIN:
                return -_INVAL
            try:
                a = self.adcs[pin] = self.board.adc(pin)
            except (ValueError, OSError):
                return -_INVAL
        return a.read_u16()

    def telemetry_publish(self, inst, name_ptr, name_len, value, scale):
        """Send a reading to the fleet: name of 1 to 32 of ``A-Za-z0-9_-./``, value times ten to the power of scale."""
        scale = signed(scale)
        if not 0 < name_len <= _MAX_NAME_BYTES or not -_MAX_SCALE <= scale <= _MAX_SCALE:
            return -_INVAL
        raw = bytearray(name_len)
        inst.memory.load(name_ptr, raw)
        name = "".join([chr(b) for b in raw])
        for c in name:
            if c not in _NAME:
                return -_INVAL
        if not self.grants.allow("telemetry:" + name):
            return -_NOTCAPABLE
        self.sink.reading(name, signed(value), scale)
        return 0

    def release(self):
        """Let go of the outputs: a stopped guest's pins become inputs."""
        for pin in self.pins:
            if self.modes[pin] == 1:
                self.board.pin(pin, 0)
        self.pins = {}
        self.modes = {}
        self.adcs = {}
