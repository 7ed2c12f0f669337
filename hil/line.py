"""The USB serial line of an emulated board: everything it prints is kept, and a pseudo-terminal lets programs such as mpremote talk to it."""

import os
import pty
import time
import tty

_PUMP_NS = 1_000_000  # board time between attempts to hand over what its USB buffer had no room for


class Line:
    """Joins the serial line of an emulated device to a pseudo-terminal, `path`. Lives on the emulator's event loop.

    `printed` is all that came from the board since it was made, as bytes; `on_text`, if set, gets it as it comes.
    """

    def __init__(self, device, loop):
        self.device = device
        self.loop = loop
        self.printed = bytearray()
        self.on_text = None
        self._waiting = b""
        self._unread = b""
        self._writing = False
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._pump_alarm = device.simulator.clock.create_alarm(self._pump)
        loop.add_reader(self._master, self._from_program)
        self.attach()

    def attach(self):
        """Take the board's output (again: running code through the emulator's own API takes it away)."""
        self.device.cdc.on_serial_data = self._from_board

    def _from_board(self, data):
        self.printed += data
        if self.on_text:
            self.on_text(bytes(data).decode(errors="replace"))
        self._unread += bytes(data)
        self._to_program()

    def _to_program(self):
        """Hand what was printed to the pseudo-terminal as far as it takes it; nobody may be reading."""
        try:
            while self._unread:
                self._unread = self._unread[os.write(self._master, self._unread) :]
        except BlockingIOError:
            self._unread = self._unread[-65536:]
        if bool(self._unread) != self._writing:
            self._writing = bool(self._unread)
            if self._writing:
                self.loop.add_writer(self._master, self._to_program)
            else:
                self.loop.remove_writer(self._master)

    def _from_program(self):
        try:
            self._waiting += os.read(self._master, 4096)
        except OSError:
            time.sleep(0)  # the last program has just closed it; the next one opens it anew
        self._pump()

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

    def close(self):
        """Let the pseudo-terminal go."""
        self.loop.remove_reader(self._master)
        if self._writing:
            self.loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
