"""The simulated board in its network: Wi-Fi, blocking and non-blocking TCP, poll, errors by number."""

import socket
import time


def echo(connection):
    """Send everything back."""
    while data := connection.recv(4096):
        connection.sendall(data)


def test_echo_blocking(board, serve):
    host, port = serve(echo)
    one = board(f"""
import socket
s = socket.socket()
s.connect(socket.getaddrinfo("{host}", {port})[0][-1])
for i in range(200):
    s.write(b"%d\\n" % i)
    assert s.readline() == b"%d\\n" % i
big = bytes(range(256)) * 100
s.setblocking(True)
got = bytearray()
for i in range(0, len(big), 5000):
    s.sendall(big[i:i + 5000])
    part = s.read(len(big[i:i + 5000]))
    got.extend(part)
print("same", bytes(got) == big, s.send(b"xy"), s.recv(10), len(got))
buf = bytearray(6)
s.write(b"abcdef")
print(s.readinto(buf), bytes(buf))
s.close()
s.close()
""")
    one.wait_console("6 b'abcdef'")
    assert one.console[0] == "same True 2 b'xy' 25600"


def test_echo_non_blocking_with_poll(board, serve):
    host, port = serve(echo)
    one = board(f"""
import errno, select, socket
s = socket.socket()
s.setblocking(False)
try:
    s.connect(socket.getaddrinfo("{host}", {port})[0][-1])
except OSError as error:
    print("connect", error.errno == errno.EINPROGRESS)
poller = select.poll()
poller.register(s, select.POLLOUT)
print("ready", [event for _, event in poller.poll(2000)])
poller.modify(s, select.POLLIN)
print("nothing", poller.poll(0), s.read(4), s.readinto(bytearray(4)))
try:
    s.recv(4)
except OSError as error:
    print("again", error.errno == errno.EAGAIN)
for i in range(100):
    assert s.write(b"ping") == 4
    for _, event in poller.ipoll(2000):
        assert event == select.POLLIN
    assert s.recv(4) == b"ping"
print("done")
""")
    one.wait_console("done")
    assert list(one.console)[:4] == ["connect True", "ready [4]", "nothing [] None None", "again True"]


def test_end_of_stream(board, serve):
    def goodbye(connection):
        connection.sendall(b"bye")

    host, port = serve(goodbye)
    one = board(f"""
import socket
s = socket.socket()
s.connect(("{host}", {port}))
print(s.read(10), s.recv(10), s.read(5))
""")
    one.wait_console("b'bye' b'' b''")


def test_time_out(board, serve):
    def silent(connection):
        connection.recv(1)

    host, port = serve(silent)
    one = board(f"""
import errno, socket, time
s = socket.socket()
s.connect(("{host}", {port}))
s.settimeout(0.2)
t = time.ticks_ms()
try:
    s.recv(1)
except OSError as error:
    print("late", error.errno == errno.ETIMEDOUT, 190 < time.ticks_diff(time.ticks_ms(), t) < 400)
""")
    one.wait_console("late True True")


def test_refused_unknown_and_not_connected(board):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = board(f"""
import errno, socket
for what in (lambda s: s.connect(("127.0.0.1", {port})), lambda s: s.send(b"x"), lambda s: socket.getaddrinfo("no.such.host.invalid", 1)):
    try:
        what(socket.socket())
    except OSError as error:
        print(error.errno)
""")
    one.wait(lambda: one.state == "halted", timeout_s=30)
    assert list(one.console) == ["111", "107", "-2"]


def test_full_send_buffer(board, serve):
    def deaf(connection):
        time.sleep(1.0)
        total = 0
        while data := connection.recv(65536):
            total += len(data)

    host, port = serve(deaf)
    one = board(f"""
import errno, select, socket, time
s = socket.socket()
s.connect(("{host}", {port}))
s.setblocking(False)
block, total = bytes(8192), 0
while True:
    sent = s.write(block)
    if sent is None:
        break
    total += sent
try:
    s.send(block)
except OSError as error:
    print("full", error.errno == errno.EAGAIN, total > 8192)
poller = select.poll()
poller.register(s, select.POLLOUT)
print("room again", len(poller.poll(5000)))
""")
    one.wait_console("room again 1", timeout_s=20)
    assert one.console[0] == "full True True"


def test_peer_resets(board, serve):
    def rude(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    host, port = serve(rude)
    one = board(f"""
import errno, socket
s = socket.socket()
s.connect(("{host}", {port}))
s.send(b"x")
try:
    s.recv(1)
except OSError as error:
    print("reset", error.errno == errno.ECONNRESET)
""")
    one.wait_console("reset True")


def test_wifi_joins_and_breaks(board, serve):
    host, port = serve(echo)
    one = board(f"""
import errno, network, socket, time
w = network.WLAN(network.STA_IF)
print(w.active(), w.isconnected())
w.active(True)
w.connect("greenhouse", "secret")
while not w.isconnected():
    time.sleep_ms(10)
print("joined", w.ifconfig()[0], w.status("rssi") < 0, w.config("ssid"))
s = socket.socket()
s.connect(("{host}", {port}))
s.write(b"hello"); print(s.read(5))
try:
    s.recv(1)
except OSError as error:
    print("broken", error.errno == errno.ECONNABORTED, w.isconnected())
try:
    socket.socket().connect(("{host}", {port}))
except OSError as error:
    print("no way", error.errno == errno.EHOSTUNREACH)
while not w.isconnected():
    time.sleep_ms(10)
print("back")
""")
    one.wait_console("b'hello'")
    one.wifi(False)
    one.wait_console("no way True")
    one.wifi(True)
    one.wait_console("back")
    assert "broken True False" in one.console


def test_every_connection_can_be_led_to_one_broker(board, serve):
    one = board("""
import socket
s = socket.socket()
s.connect(socket.getaddrinfo("broker.example", 1883)[0][-1])
s.write(b"hi"); print(s.read(2))
""", broker=serve(echo))
    one.wait_console("b'hi'")


def test_power_cut_ends_connections(board, serve):
    ended = []

    def watch(connection):
        try:
            while connection.recv(10):
                pass
        except ConnectionResetError:
            pass
        ended.append(True)

    host, port = serve(watch)
    one = board(f"import socket\ns = socket.socket()\ns.connect(('{host}', {port}))\nprint('in')\ns.recv(1)")
    one.wait_console("in")
    one.stop()
    deadline = time.monotonic() + 5
    while not ended and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ended
