"""The board's clock from NTP (RFC 5905), without blocking: the gateway is asked first, then the public pool by name (RFC 1035).

It sets the real-time clock that guests read, and nothing else: NTP is not authenticated, so the floor of time that manifests expire by
is never raised by it.
"""

import socket
import struct
import time

from mpwasm.compat import const

_PATIENCE_MS = const(3000)
_NTP_PORT = const(123)
_DNS_PORT = const(53)
_PACKET_BYTES = const(48)
_POOL = b"\x04pool\x03ntp\x03org\x00"
_TYPE_A_CLASS_IN = b"\x00\x01\x00\x01"
_SECONDS_1900_TO_1970 = const(2208988800)
_SECONDS_1970_TO_2000 = const(946684800)
_ERA_SECONDS = const(4294967296)


def ask(network, board):
    """A generator that yields while it waits, and returns whether the clock was set. `network` is what ``WLAN.ifconfig`` says."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    except OSError:
        return False  # there is none to be had now
    try:
        sock.setblocking(False)
        seconds = yield from _time(sock, network[2], board)
        if seconds is None:
            address = yield from _exchange(sock, network[3], _DNS_PORT, _query(board.random(2)), _address, board)
            if address:
                seconds = yield from _time(sock, address, board)
    finally:
        sock.close()
    if seconds is not None:
        _set(seconds)
    return seconds is not None


def _time(sock, host, board):
    cookie = board.random(8)
    packet = b"\x23" + bytes(_PACKET_BYTES - 9) + cookie  # version 4, client; our "transmit time" is random, so that only who saw it answers
    return _exchange(sock, host, _NTP_PORT, packet, _seconds, board)


def _exchange(sock, host, port, question, read, board):
    """Send a question and wait for what `read(question, answer)` makes of an answer that fits; None when nobody answers in time."""
    until = board.uptime_ms() + _PATIENCE_MS
    try:
        sock.sendto(question, socket.getaddrinfo(host, port)[0][-1])
    except OSError:
        return None  # no way to there
    while board.uptime_ms() < until:
        yield
        try:
            answer = sock.recv(512)
        except OSError:
            continue  # nothing has come yet
        found = read(question, answer)
        if found is not None:
            return found
    return None


def _seconds(question, answer):
    """Seconds since 1970 of a server that is in step (leap indicator not 3, stratum 1 to 15) and answers this question; else None."""
    if len(answer) < _PACKET_BYTES or answer[24:32] != question[40:48]:
        return None
    if answer[0] & 7 != 4 or answer[0] >> 6 == 3 or not 0 < answer[1] < 16:
        return None
    seconds = struct.unpack(">I", answer[40:44])[0]
    if seconds >> 31 == 0:
        seconds += _ERA_SECONDS  # the era that begins in 2036
    return seconds - _SECONDS_1900_TO_1970


def _query(number):
    return number + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + _POOL + _TYPE_A_CLASS_IN


def _address(question, answer):
    """The first address in an answer to `question` as text; None if it is none or has no address."""
    if len(answer) < len(question) or answer[:2] != question[:2] or answer[12 : len(question)] != question[12:]:
        return None
    at = len(question)
    while at + 12 <= len(answer):
        while answer[at] & 0xC0 != 0xC0 and answer[at]:  # the name: labels, then a pointer or nothing
            at += answer[at] + 1
            if at + 12 > len(answer):
                return None
        at += 2 if answer[at] else 1
        kind, _, _, _, size = struct.unpack(">HHHHH", answer[at : at + 10])
        if kind == 1 and size == 4 and at + 14 <= len(answer):
            return ".".join([str(byte) for byte in answer[at + 10 : at + 14]])
        at += 10 + size
    return None


def _set(seconds):
    """Set the real-time clock to `seconds` since 1970."""
    from machine import RTC

    t = time.gmtime(seconds - (_SECONDS_1970_TO_2000 if time.gmtime(0)[0] == 2000 else 0))
    RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0))
