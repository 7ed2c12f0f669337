"""The way to the network: Wi-Fi where the port has `network` and the identity names one, else whatever is there already."""

from mpwasm.agent import phase
from mpwasm.compat import const

_FIRST_WAIT_MS = const(20000)  # joining takes up to ten seconds: an attempt gets this long
_LAST_WAIT_MS = const(320000)
_ASK_FIRST_MS = const(60000)
_ASK_LAST_MS = const(21600000)


class Net:
    """Keeps Wi-Fi joined and the clock set without ever blocking; `ssid` None means that there is nothing to join."""

    def __init__(self, ssid, password, board):
        self.ssid = ssid
        self.password = password
        self.board = board
        self.wlan = None
        self.wait_ms = _FIRST_WAIT_MS
        self.retry_at = 0
        self.asking = None
        self.ask_ms = _ASK_FIRST_MS
        self.ask_at = 0

    def up(self, now):
        """True when connected; else starts or repeats the attempt to join, more rarely each time. `now` is uptime in ms."""
        if self.ssid is None:
            return True
        if self.wlan is None:
            import network

            self.wlan = network.WLAN(network.STA_IF)
            self.wlan.active(True)
        if self.wlan.isconnected():
            self.wait_ms = _FIRST_WAIT_MS
            self.retry_at = now  # once lost, it is looked for at once
            self._keep_time(now)
            return True
        if now >= self.retry_at:
            self._join()
            self.retry_at = now + self.wait_ms
            self.wait_ms = min(2 * self.wait_ms, _LAST_WAIT_MS)
        return False

    def _join(self):
        """Begin to join, giving up an attempt that is under way; a driver that is busy is asked again at `retry_at`."""
        self._dare(self.wlan.disconnect)
        self._dare(self.wlan.connect, self.ssid, self.password)

    def _dare(self, action, *arguments):
        try:
            action(*arguments)
        except OSError as error:
            return error

    def _keep_time(self, now):
        """Ask for the time when that is due: soon after joining, then each six hours; sooner while nobody answers."""
        if self.asking is None:
            if now < self.ask_at:
                return
            loaded = phase.begin()
            from mpwasm.agent.ntp import ask

            self.asking = ask(self.wlan.ifconfig(), self.board)
            del ask
            phase.end(loaded, "mpwasm.agent.")
        try:
            next(self.asking)
        except StopIteration as end:
            self.asking = None
            self.ask_ms = _ASK_LAST_MS if end.value else min(2 * self.ask_ms, _ASK_LAST_MS)
            self.ask_at = now + self.ask_ms

    def rssi(self):
        """Signal strength in dBm, or None."""
        if self.wlan is None:
            return None
        try:
            return self.wlan.status("rssi")
        except (OSError, ValueError, TypeError):
            return None  # this port can't tell
