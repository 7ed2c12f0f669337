"""A pseudo-terminal in place of a board's serial port: programs such as mpremote open it, and all that the board prints is kept."""

import os
import pty
import time
import tty

_KEPT_BYTES = 65536  # of what no program reads


class Terminal:
    """Lives on the event loop `loop`; `to_board(data)` gets what programs write to the port called `path`.

    `printed` is all that came from the board, as bytes; `on_text`, if set, gets it as it comes.
    """

    def __init__(self, loop, to_board):
        self.loop = loop
        self.to_board = to_board
        self.printed = bytearray()
        self.on_text = None
        self._unread = b""
        self._writing = False
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        loop.add_reader(self._master, self._from_program)

    def from_board(self, data):
        """The board has printed."""
        self.printed += data
        if self.on_text:
            self.on_text(bytes(data).decode(errors="replace"))
        self._unread += bytes(data)
        self._to_program()

    def text(self):
        """All that was printed, as text with plain line ends."""
        return bytes(self.printed).decode(errors="replace").replace("\r\n", "\n")

    def _to_program(self):
        """Hand over what was printed as far as the pseudo-terminal takes it; nobody may be reading."""
        try:
            while self._unread:
                self._unread = self._unread[os.write(self._master, self._unread) :]
        except BlockingIOError:
            self._unread = self._unread[-_KEPT_BYTES:]
        if bool(self._unread) != self._writing:
            self._writing = bool(self._unread)
            if self._writing:
                self.loop.add_writer(self._master, self._to_program)
            else:
                self.loop.remove_writer(self._master)

    def _from_program(self):
        try:
            data = os.read(self._master, 4096)
        except OSError:
            time.sleep(0)  # the last program has just closed it; the next one opens it anew
            return
        self.to_board(data)

    def close(self):
        """Let the pseudo-terminal go."""
        self.loop.remove_reader(self._master)
        if self._writing:
            self.loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
