"""MQTT topics of the fleet: ``f/1/<device>/<name>``, and nothing else."""

from mpwasm.errors import Refused

NAMES = ("desired", "reported", "state", "get", "blk", "cmd", "cmd/res", "log", "tele")

_PREFIX = "f/1/"
_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"


def valid_device(device):
    """Whether `device` is a device id: 1 to 32 of ``a-z 0-9 -``."""
    if not isinstance(device, str) or not 1 <= len(device) <= 32:
        return False
    for character in device:
        if character not in _ID_CHARACTERS:
            return False
    return True


def topic(device, name):
    """The topic str of channel `name` of `device`; ValueError if either is not one."""
    if name not in NAMES or not valid_device(device):
        raise ValueError(name)
    return _PREFIX + device + "/" + name


def parse(text):
    """``(device, name)`` of a topic (str, or its UTF-8 bytes); `Refused` ("topic") for any other topic."""
    if not isinstance(text, str):
        try:
            text = str(text, "utf-8")
        except (ValueError, TypeError):
            text = ""
    if text.startswith(_PREFIX):
        slash = text.find("/", len(_PREFIX))
        if slash > 0:
            device = text[len(_PREFIX) : slash]
            name = text[slash + 1 :]
            if name in NAMES and valid_device(device):
                return device, name
    raise Refused("topic", text[:64])
