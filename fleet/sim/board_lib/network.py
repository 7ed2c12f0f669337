"""`network` of a simulated board: a Wi-Fi station whose access point the host can switch off."""

import time as _time

import _board

STA_IF = 0
AP_IF = 1
STAT_IDLE = 0
STAT_CONNECTING = 1
STAT_WRONG_PASSWORD = -3
STAT_NO_AP_FOUND = -2
STAT_CONNECT_FAIL = -1
STAT_GOT_IP = 3

_JOIN_MS = 50


def hostname(name=None):
    """The board's name in its network."""
    return "board"


def country(code=None):
    """The regulatory domain; it has no effect here."""
    return "XX"


class WLAN:
    """The station interface; every instance is the same interface, as in the firmware."""

    IF_STA = STA_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2
    _active = False
    _joined_at = None
    _config = {"ssid": "", "pm": 0, "txpower": 31, "channel": 1}

    def __init__(self, interface=STA_IF):
        if interface != STA_IF:
            raise ValueError("only STA_IF")

    def active(self, on=None):
        """Whether the interface is on, or switch it."""
        if on is None:
            return WLAN._active
        WLAN._active = bool(on)
        if not on:
            WLAN._joined_at = None

    def connect(self, ssid=None, key=None, **_more):
        """Join the network `ssid`; any key will do. Returns at once."""
        if not WLAN._active:
            raise OSError(1)
        WLAN._config["ssid"] = ssid or ""
        WLAN._joined_at = _time.ticks_add(_time.ticks_ms(), _JOIN_MS)

    def disconnect(self):
        """Leave the network."""
        WLAN._joined_at = None

    def isconnected(self):
        """Whether the board has an address."""
        return self.status() == STAT_GOT_IP

    def status(self, what=None):
        """STAT_... number, or for "rssi" the signal in dBm."""
        if what == "rssi":
            return -52
        if what is not None:
            raise ValueError("unknown status param")
        if WLAN._joined_at is None:
            return STAT_IDLE
        if not _board.wifi():
            return STAT_NO_AP_FOUND
        return STAT_GOT_IP if _time.ticks_diff(_time.ticks_ms(), WLAN._joined_at) >= 0 else STAT_CONNECTING

    def ifconfig(self, config=None):
        """(address, mask, gateway, name server)."""
        if not self.isconnected():
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return ("10.0.0.2", "255.255.255.0", "10.0.0.1", "10.0.0.1")

    def ipconfig(self, what=None, **_more):
        """The newer form of `ifconfig`, for "addr4" and "gw4"."""
        config = self.ifconfig()
        return {"addr4": (config[0], config[1]), "gw4": config[2]}[what]

    def config(self, what=None, **settings):
        """A setting by name, or set some."""
        if what is None:
            WLAN._config.update(settings)
            return None
        if what == "mac":
            from machine import unique_id

            return b"\x28\xcd" + unique_id()[-4:]
        return WLAN._config[what]
