"""The way to the network: Wi-Fi where the port has `network` and the identity names one, else whatever is there already."""

from mpwasm.compat import const

_RETRY_MS = const(20000)


class Net:
    """Keeps Wi-Fi joined without ever blocking; `ssid` None means that there is nothing to join."""

    def __init__(self, ssid, password):
        self.ssid = ssid
        self.password = password
        self.wlan = None
        self.retry_at = 0

    def up(self, now):
        """True when connected; else starts or repeats the attempt to join. `now` is uptime in ms."""
        if self.ssid is None:
            return True
        if self.wlan is None:
            import network

            self.wlan = network.WLAN(network.STA_IF)
            self.wlan.active(True)
        if self.wlan.isconnected():
            return True
        if now >= self.retry_at:
            self.retry_at = now + _RETRY_MS
            try:
                self.wlan.connect(self.ssid, self.password)
            except OSError:
                return False  # ESP32 says so while an attempt is under way; the next one is due at retry_at
        return False

    def rssi(self):
        """Signal strength in dBm, or None."""
        if self.wlan is None:
            return None
        try:
            return self.wlan.status("rssi")
        except (OSError, ValueError, TypeError):
            return None  # this port can't tell
