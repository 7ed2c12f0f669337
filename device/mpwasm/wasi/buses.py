"""Host functions of our own: `i2c`, `spi`, `uart`. Results are >= 0, or -errno with WASI's numbers.

A bus is granted by its number (``i2c:0``); pins other than the board's own for it need a grant of their own (``gpio:4``), since whoever
places a bus on a pin drives that pin.
"""

from mpwasm.compat import const

_INVAL = const(28)
_IO = const(29)
_MSGSIZE = const(35)
_NODEV = const(43)
_NOTCAPABLE = const(76)
_NONE = const(0xFFFFFFFF)
_MAX_BYTES = const(256)
_MAX_NUMBER = const(255)
_MAX_HZ = const(100000000)


class Ports:
    """Opens and keeps what lies behind ``kind:number``; `release` lets go of all of it."""

    def __init__(self, context):
        self.grants = context.grants
        self.open = getattr(context.board, "port", None)
        if self.open is None:
            from mpwasm.wasi.ports import open_port

            self.open = open_port
        self.ports = {}

    def configure(self, kind, number, settings, pins):
        """Open a port: 0 or -errno. `settings` begin with a rate in Hz or baud; `pins` (0xFFFFFFFF for the board's own) follow them."""
        if not self.grants.allow("%s:%d" % (kind, number)):
            return -_NOTCAPABLE
        if number > _MAX_NUMBER or not 0 < settings[0] <= _MAX_HZ:
            return -_INVAL
        for pin in pins:
            if pin != _NONE and not self.grants.allow("gpio:%d" % pin):
                return -_NOTCAPABLE
        self.drop((kind, number))
        try:
            self.ports[(kind, number)] = self.open(kind, number, settings + pins)
        except ImportError:
            return -_NODEV
        except (ValueError, OSError):
            return -_INVAL
        return 0

    def why_not(self, kind, number):
        """-ENOTCAPABLE where the port isn't granted, else -EINVAL: it isn't configured."""
        return -_INVAL if self.grants.allow("%s:%d" % (kind, number)) else -_NOTCAPABLE

    def drop(self, key):
        """Close a port, if it is open."""
        port = self.ports.pop(key, None)
        if hasattr(port, "deinit"):
            port.deinit()

    def release(self):
        """The guest has ended."""
        for key in list(self.ports):
            self.drop(key)


class Part(Ports):
    """The buses of one guest; at most 256 bytes a call."""

    def use(self, kind, number, size, act):
        """Run `act(port)`, which gives the result, on an open port: -errno where that fails."""
        port = self.ports.get((kind, number))
        if port is None:
            return self.why_not(kind, number)
        if size > _MAX_BYTES:
            return -_MSGSIZE
        try:
            return act(port)
        except OSError:
            return -_IO

    def _loaded(self, inst, at, size):
        data = bytearray(min(size, _MAX_BYTES))
        inst.memory.load(at, data)
        return data

    def i2c_configure(self, inst, bus, hz, scl, sda):
        """Open an I2C bus as controller at `hz`, on the board's own pins for it where `scl` and `sda` are -1."""
        return self.configure("i2c", bus, (hz,), (scl, sda))

    def i2c_write(self, inst, bus, address, at, size):
        """Write up to 256 bytes to the device with a 7-bit address; gives the number of bytes."""
        return self.i2c_transfer(inst, bus, address, at, size, 0, 0)

    def i2c_read(self, inst, bus, address, at, size):
        """Read up to 256 bytes from the device with a 7-bit address; gives the number of bytes."""
        return self.i2c_transfer(inst, bus, address, 0, 0, at, size)

    def i2c_transfer(self, inst, bus, address, out, out_len, into, into_len):
        """Write, then read after a repeated start, without a stop between; a length of 0 leaves that half out. Gives the bytes moved."""

        def act(port):
            if out_len or not into_len:
                port.writeto(address, self._loaded(inst, out, out_len), not into_len)
            if into_len:
                data = self._loaded(inst, into, into_len)  # traps before anything is read
                port.readfrom_into(address, data)
                inst.memory.store(into, data)
            return out_len + into_len

        return self.use("i2c", bus, max(out_len, into_len), act)

    def i2c_scan(self, inst, bus, at, size):
        """Store the addresses of the devices that answer, a byte each, as far as they fit; gives how many answer."""

        def act(port):
            found = port.scan()
            inst.memory.store(at, bytes(found[: min(size, 128)]))
            return len(found)

        return self.use("i2c", bus, 0, act)

    def spi_configure(self, inst, bus, hz, mode, sck, mosi, miso):
        """Open an SPI bus as controller in mode 0 to 3, on the board's own pins where they are -1; chip select is a gpio pin."""
        if mode > 3:
            return -_INVAL
        return self.configure("spi", bus, (hz, mode), (sck, mosi, miso))

    def spi_write(self, inst, bus, at, size):
        """Send up to 256 bytes, ignoring what comes back; gives the number of bytes."""

        def act(port):
            port.write(self._loaded(inst, at, size))
            return size

        return self.use("spi", bus, size, act)

    def spi_read(self, inst, bus, fill, at, size):
        """Read up to 256 bytes while sending the byte `fill`; gives the number of bytes."""

        def act(port):
            data = self._loaded(inst, at, size)
            port.readinto(data, fill & 0xFF)
            inst.memory.store(at, data)
            return size

        return self.use("spi", bus, size, act)

    def spi_transfer(self, inst, bus, out, into, size):
        """Send up to 256 bytes and store as many that come back; both addresses may be the same. Gives the number of bytes."""

        def act(port):
            data = self._loaded(inst, out, size)
            inst.memory.load(into, bytearray(size))
            port.write_readinto(data, data)
            inst.memory.store(into, data)
            return size

        return self.use("spi", bus, size, act)

    def uart_configure(self, inst, port, baud, tx, rx):
        """Open a serial port, 8 data bits, no parity, on the board's own pins where they are -1."""
        return self.configure("uart", port, (baud,), (tx, rx))

    def uart_available(self, inst, port):
        """Bytes that have come and wait to be read."""
        return self.use("uart", port, 0, lambda uart: uart.any())

    def uart_read(self, inst, port, at, size):
        """Read what has come, up to 256 bytes, without waiting; gives the number of bytes, 0 where there are none."""

        def act(uart):
            data = self._loaded(inst, at, min(size, uart.any()))
            count = uart.readinto(data) or 0 if data else 0
            inst.memory.store(at, memoryview(data)[:count])
            return count

        return self.use("uart", port, 0, act)

    def uart_write(self, inst, port, at, size):
        """Send up to 256 bytes; gives the number of bytes taken."""
        return self.use("uart", port, size, lambda uart: uart.write(self._loaded(inst, at, size)) or 0)
