"""The CONNECT packet of MQTT 3.1.1 (section 3.1): made once, so boards drop this file."""

from mpwasm.compat import const
from mpwasm.wire.mqtt import packet, string

_CONNECT = const(0x10)


def connect(client_id, keepalive_s=60, clean=True, user=None, password=None, will=None):
    """CONNECT (3.1). `will` is (topic, payload, qos, retain) or None; `password` needs a `user`."""
    flags = 2 if clean else 0
    parts = [string(client_id)]
    if will is not None:
        topic, payload, qos, retain = will
        flags |= 4 | qos << 3 | (32 if retain else 0)
        parts += [string(topic), string(payload)]
    if user is not None:
        flags |= 128
        parts.append(string(user))
        if password is not None:
            flags |= 64
            parts.append(string(password))
    head = b"\x00\x04MQTT\x04" + bytes([flags]) + keepalive_s.to_bytes(2, "big")
    return packet(_CONNECT, [head] + parts)
