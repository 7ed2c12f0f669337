"""The USB serial line of an emulated RP2040: joins the emulator's CDC device to a pseudo-terminal."""

from hil.terminal import Terminal

_PUMP_NS = 1_000_000  # board time between attempts to hand over what its USB buffer had no room for


class Line(Terminal):
    """The `Terminal` of an emulated device; lives on the emulator's event loop."""

    def __init__(self, device, loop):
        super().__init__(loop, self.send)
        self.device = device
        self._waiting = b""
        self._pump_alarm = device.simulator.clock.create_alarm(self._pump)
        self.attach()

    def attach(self):
        """Take the board's output (again: running code through the emulator's own API takes it away)."""
        self.device.cdc.on_serial_data = self.from_board

    def send(self, data):
        """Type bytes into the board."""
        self._waiting += data
        self._pump()

    def _pump(self):
        """As much as the board's USB buffer holds now; the rest a little later in its time."""
        cdc = self.device.cdc
        free = max(cdc.tx_fifo.size - cdc.tx_fifo.item_count, 0)
        part, self._waiting = self._waiting[:free], self._waiting[free:]
        for byte in part:
            cdc.send_serial_byte(byte)
        if self._waiting:
            self._pump_alarm.schedule(_PUMP_NS)
