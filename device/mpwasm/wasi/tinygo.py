"""TinyGo's `machine` package for targets without one of their own (wasip1, wasm): its imports ``env.__tinygo_*``.

Signatures: tinygo-org/tinygo, src/machine/machine_generic.go. A Pin is a uint8, 255 is NoPin; -target=wasm's own module ``gojs`` needs a
browser, so build with -target=wasip1 or wasm-unknown.
"""

from mpwasm.compat import const
from mpwasm.wasi.foreign import refused

_NO_PIN = const(255)
_BOARDS = const(0xFFFFFFFF)
_HZ = const(100000)
_SPI_HZ = const(1000000)
_BAUD = const(115200)
_NXIO = const(60)


def own(pin):
    """A pin's number, or the board's own for it where there is none."""
    return _BOARDS if pin & 0xFF == _NO_PIN else pin & 0xFF


class Part:
    """What TinyGo can't report is said once in the log; pin modes are ours: in, out, in with pull-up, in with pull-down."""

    def __init__(self, context):
        self.context = context
        self.pins = context.part("devices")
        self.wires = {}

    @property
    def buses(self):
        """The bus functions, which the linker has loaded where a row needs them."""
        return self.context.part("buses")

    def _checked(self, result, what, number):
        if result < 0:
            return refused(self.context, "%s:%d" % (what, number))
        return result

    def gpio_configure(self, inst, pin, mode):
        """Make a pin an input (0), output (1), input with pull-up (2) or pull-down (3)."""
        self._checked(self.pins.gpio_configure(inst, pin, mode), "gpio", pin)

    def gpio_set(self, inst, pin, high):
        """Set a pin that was configured as output to low or high."""
        self._checked(self.pins.gpio_write(inst, pin, high), "gpio", pin)

    def gpio_get(self, inst, pin):
        """Level of a configured pin, 0 or 1."""
        return self._checked(self.pins.gpio_read(inst, pin), "gpio", pin)

    def adc_read(self, inst, pin):
        """Voltage at an analogue pin, 0..65535 of full scale."""
        return self._checked(self.pins.adc_read(inst, pin), "adc", pin)

    def spi_configure(self, inst, bus, sck, sdo, sdi):
        """Open an SPI bus in mode 0 at 1 MHz: TinyGo hands over neither mode nor frequency."""
        self._checked(self.buses.spi_configure(inst, bus, _SPI_HZ, 0, own(sck), own(sdo), own(sdi)), "spi", bus)

    def spi_transfer(self, inst, bus, byte):
        """Send a byte; gives the one that came back."""

        def act(port):
            data = bytearray((byte & 0xFF,))
            port.write_readinto(data, data)
            return data[0]

        return self._checked(self.buses.use("spi", bus, 1, act), "spi", bus)

    def spi_tx(self, inst, bus, out, out_len, into, into_len):
        """Send, receive, or both at once where both lengths are given and equal; gives 0, or 1 where that failed."""
        if not out_len:
            result = self.buses.spi_read(inst, bus, 0, into, into_len)
        elif not into_len:
            result = self.buses.spi_write(inst, bus, out, out_len)
        else:
            result = self.buses.spi_transfer(inst, bus, out, into, min(out_len, into_len))
        return 1 if result < 0 else 0

    def i2c_configure(self, inst, bus, scl, sda):
        """Open an I2C bus, at 100 kHz at first."""
        self.wires[bus] = (own(scl), own(sda))
        self.i2c_set_baud_rate(inst, bus, _HZ)

    def i2c_set_baud_rate(self, inst, bus, hz):
        """Open an I2C bus anew at `hz`."""
        wires = self.wires.get(bus, (_BOARDS, _BOARDS))
        self._checked(self.buses.i2c_configure(inst, bus, hz, wires[0], wires[1]), "i2c", bus)

    def i2c_transfer(self, inst, bus, out, out_len, into, into_len):
        """Write and read without an address, which TinyGo does not hand over: meant is the one device on the bus. Gives 0, or an errno."""
        found = []
        self.buses.use("i2c", bus, 0, lambda port: found.extend(port.scan()))
        if len(found) != 1:
            refused(self.context, "i2c:%d (%d devices)" % (bus, len(found)))
            return _NXIO
        return max(0, -self.buses.i2c_transfer(inst, bus, found[0], out, out_len, into, into_len))

    def uart_configure(self, inst, port, tx, rx):
        """Open a serial port at 115,200 baud: TinyGo does not hand over the rate."""
        self._checked(self.buses.uart_configure(inst, port, _BAUD, own(tx), own(rx)), "uart", port)

    def uart_read(self, inst, port, at, size):
        """Read what has come, without waiting; gives the number of bytes."""
        return self._checked(self.buses.uart_read(inst, port, at, size), "uart", port)

    def uart_write(self, inst, port, at, size):
        """Send up to 256 bytes; gives the number of bytes taken."""
        return self._checked(self.buses.uart_write(inst, port, at, min(size, 256)), "uart", port)
