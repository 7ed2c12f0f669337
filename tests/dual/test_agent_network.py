"""Wi-Fi joined and joined again, ever more rarely; the clock from NTP, asked of servers that lie. A fake radio and fake sockets."""

import sys

from mpwasm.agent.net import Net

try:
    from mpwasm.agent import ntp
except ImportError:  # the bare VM has no sockets
    sys.modules["socket"] = sys
    from mpwasm.agent import ntp

NETWORK = ("192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.53")
NOON = 1764072000  # 2025-11-25 12:00:00, seconds since 1970
TO_1900 = 2208988800


class Board:
    def __init__(self):
        self.now = 0

    def uptime_ms(self):
        self.now += 500
        return self.now

    def random(self, count):
        return bytes(range(1, count + 1))


class Radio:
    """`network.WLAN` as far as it is used; each call is noted."""

    def __init__(self, busy=False):
        self.joined, self.busy, self.calls = False, busy, []

    def isconnected(self):
        return self.joined

    def disconnect(self):
        self.calls.append("disconnect")

    def connect(self, ssid, password):
        self.calls.append((ssid, password))
        if self.busy:
            raise OSError("Wifi Internal Error")

    def ifconfig(self):
        return NETWORK

    def status(self, what):
        raise ValueError("unknown status param")


class Sockets:
    """The module `socket`: `answers` maps (address, port) to what comes back on a question, or None."""

    AF_INET = SOCK_DGRAM = 0

    def __init__(self, answers):
        self.answers, self.asked, self.waiting, self.open = answers, [], [], 0

    def socket(self, family, kind):
        self.open += 1
        return self

    def getaddrinfo(self, host, port):
        return [(0, 0, 0, "", (host, port))]

    def setblocking(self, on):
        assert on is False

    def sendto(self, question, address):
        self.asked.append(address)
        if address not in self.answers:
            raise OSError(113)
        answer = self.answers[address]
        self.waiting = [answer(bytes(question))] if answer else []

    def recv(self, count):
        if not self.waiting:
            raise OSError(11)
        return self.waiting.pop()

    def close(self):
        self.open -= 1


def server(seconds, first=0x24, stratum=2, cookie=None):
    def answer(question):
        assert len(question) == 48 and question[0] == 0x23
        since_1900 = (seconds + TO_1900) & 0xFFFFFFFF
        return bytes([first, stratum]) + bytes(22) + (cookie or question[40:48]) + bytes(8) + since_1900.to_bytes(4, "big") + bytes(4)

    return answer


def pool(address, name=b"\xc0\x0c"):
    """A resolver: an alias first, then the address."""

    def answer(question):
        alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x09\x00\x02\xc0\x0c"
        record = name + b"\x00\x01\x00\x01\x00\x00\x00\x09\x00\x04" + address
        return question[:2] + b"\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00" + question[12:] + alias + record

    return answer


def asked(answers):
    """(whether the clock was set, to what, the addresses that were asked)."""
    set_to, real, real_set = [], ntp.socket, ntp._set
    ntp.socket, ntp._set = Sockets(answers), set_to.append
    try:
        question = ntp.ask(NETWORK, Board())
        while True:
            try:
                next(question)
            except StopIteration as end:
                assert ntp.socket.open == 0
                return end.value, set_to, ntp.socket.asked
    finally:
        ntp.socket, ntp._set = real, real_set


GATEWAY, RESOLVER, POOL = ("192.0.2.1", 123), ("192.0.2.53", 53), ("198.51.100.9", 123)


def test_the_gateway_tells_the_time():
    assert asked({GATEWAY: server(NOON)}) == (True, [NOON], [GATEWAY])
    assert asked({GATEWAY: server(2**32 - TO_1900 + 5)})[1] == [2085978501]  # 2036, the next era


def test_the_pool_is_asked_by_name_when_the_gateway_is_silent():
    for name in (b"\xc0\x0c", b"\x04pool\x03ntp\x03org\x00", b"\x01a\xc0\x11"):
        answers = {GATEWAY: None, RESOLVER: pool(bytes([198, 51, 100, 9]), name), POOL: server(NOON)}
        assert asked(answers) == (True, [NOON], [GATEWAY, RESOLVER, POOL])
    assert asked({}) == (False, [], [GATEWAY, RESOLVER])


def test_liars_are_not_believed():
    for wrong in ({"first": 0xE4}, {"first": 0x23}, {"stratum": 0}, {"stratum": 16}, {"cookie": bytes(8)}):
        assert asked({GATEWAY: server(NOON, **wrong)})[0] is False
    for size in (0, 1, 47):
        assert asked({GATEWAY: lambda question, size=size: server(NOON)(question)[:size]})[0] is False


def test_names_that_lead_astray_end():
    whole = pool(bytes([198, 51, 100, 9]), b"\x01a\xc0\x11")(ntp._query(b"\1\2"))
    for size in range(len(whole)):
        assert asked({RESOLVER: lambda question, size=size: whole[:size]})[0] is False
    for at in range(len(whole)):
        for value in (0, 1, 0x3F, 0xC0, 0xFF):
            asked({RESOLVER: lambda question, at=at, value=value: whole[:at] + bytes([value]) + whole[at + 1 :]})


def joined(radio):
    net = Net("house", "secret", Board())
    net.wlan, net.ask_at = radio, 1 << 29
    return net


def attempts(net, until_ms):
    """When it tried to join."""
    times, before = [], len(net.wlan.calls)
    for now in range(0, until_ms, 1000):
        assert net.up(now) is False
        if len(net.wlan.calls) > before:
            before = len(net.wlan.calls)
            times.append(now // 1000)
    return times


def test_joining_is_tried_ever_more_rarely():
    for busy in (False, True):
        net = joined(Radio(busy))
        assert attempts(net, 2000000) == [0, 20, 60, 140, 300, 620, 940, 1260, 1580, 1900]
        assert net.wlan.calls[:2] == ["disconnect", ("house", "secret")]


def test_a_lost_network_is_looked_for_at_once():
    net = joined(Radio())
    attempts(net, 400000)
    net.wlan.joined = True
    assert net.up(500000) is True
    net.wlan.joined, net.wlan.calls = False, []
    assert net.up(501000) is False and net.wlan.calls == ["disconnect", ("house", "secret")]
    assert net.retry_at == 521000 and net.rssi() is None


def test_the_clock_is_kept():
    real, real_set, set_to = ntp.socket, ntp._set, []
    ntp.socket, ntp._set = Sockets({GATEWAY: server(NOON)}), set_to.append
    try:
        net = joined(Radio())
        net.wlan.joined, net.ask_at = True, 0
        for now in (0, 1, 2, 3, 1000):
            assert net.up(now) is True
        assert set_to == [NOON] and net.asking is None and 21600000 <= net.ask_at < 21700000
        ntp.socket.answers = {}
        for now in (net.ask_at, net.ask_at + 1, net.ask_at + 2):
            net.up(now)
        assert set_to == [NOON] and net.ask_ms == 21600000
    finally:
        ntp.socket, ntp._set = real, real_set


def test_without_a_name_there_is_nothing_to_join():
    net = Net(None, None, Board())
    assert net.up(0) is True and net.wlan is None and net.rssi() is None
