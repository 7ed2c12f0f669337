"""`fleet broker config`: the files start a real mosquitto, on which no board reads or writes another's topics; and what EMQX gets."""

import contextlib
import hashlib
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest

from fleet.broker import find_mosquitto, free_port, service_password
from fleet.credentials import SERVICE_USER, SERVICE_USERS
from mpwasm.wire import cbor, mac
from tests.fleet.site import Site, wait


class Client:
    """A client of the broker: `heard` is what it was given, `codes` what became of its subscriptions, `refused` whether it got in."""

    def __init__(self, port, user, password, authority=None):
        self.heard, self.codes, self.refused, self.lost = [], [], None, threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="any")
        self.client.username_pw_set(user, password)
        self.client.on_connect = self._connected
        self.client.on_message = lambda _client, _userdata, message: self.heard.append((message.topic, message.payload))
        self.client.on_subscribe = lambda _client, _userdata, _mid, codes, _properties: self.codes.extend(code.value for code in codes)
        if authority:
            self.client.tls_set(authority)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait(lambda: self.refused is not None)

    def _connected(self, _client, _userdata, _flags, reason, _properties):
        self.refused = reason.is_failure

    def say(self, topic, payload, retain=False):
        """Publish, and wait until the broker has taken it."""
        self.client.publish(topic, payload, 1, retain).wait_for_publish(5)

    def close(self):
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def elsewhere(quiet):
    """A mosquitto started from the files of `fleet broker config`: (site, connect(user), its port, folder)."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    for name in ("one", "two"):
        quiet.ok("device", "add", name, "--group", "attic")
    port, folder = free_port(), quiet.folder / "broker"
    text = quiet.home.settings_path.read_text()
    quiet.home.settings_path.write_text(text.replace(f"port = {quiet.port}", f"port = {port}"))
    quiet.ok("broker", "config", folder, "--user", "root")
    process = subprocess.Popen([find_mosquitto(), "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    clients = []

    def connect(user, password=None):
        clients.append(Client(port, user, _password(quiet, user) if password is None else password))
        return clients[-1]

    wait(lambda: _answers(port))
    yield quiet, connect, process, folder
    for client in clients:
        client.close()
    process.terminate()
    process.wait(5)


def _password(site, user):
    """What a board or a service gets in with."""
    return service_password(site.home) if user in SERVICE_USERS else mac.mqtt_password(cbor.decode(site.client().identity(user))[2])


@contextlib.contextmanager
def _both(site, folder):
    """A mosquitto from the files of `fleet broker config` with TLS on one port and none on another: gives connect(user, with TLS?, password)."""
    plain_port, clients = free_port(), []
    site.init("--tls", "--plain-port", plain_port)
    site.ok("device", "add", "one", "--group", "attic")
    site.ok("device", "add", "two", "--group", "attic", "--plain")
    site.ok("broker", "config", folder, "--user", "root")
    process = subprocess.Popen([find_mosquitto(), "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)

    def connect(user, secure, password=None):
        where = (site.port, site.home.settings()["broker"]["tls_ca"]) if secure else (plain_port, None)
        clients.append(Client(where[0], user, password or _password(site, user), where[1]))
        return clients[-1]

    try:
        wait(lambda: _answers(site.port) and _answers(plain_port))
        yield connect
    finally:
        for client in clients:
            client.close()
        process.terminate()
        process.wait(5)


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_users_and_rules_are_the_same_with_tls_and_without(tmp_path):
    with _both(Site(tmp_path, "external"), tmp_path / "broker") as connect:
        for secure in (True, False):
            assert connect("one", secure, "x").refused and connect("nobody", secure, "x").refused
        service, one, other, two = connect(SERVICE_USER, True), connect("one", True), connect(SERVICE_USERS[1], False), connect("two", False)
        service.client.subscribe("f/1/#", 1)
        one.client.subscribe([("f/1/two/#", 1), ("#", 1), ("f/1/one/#", 1)])
        two.client.subscribe([("f/1/one/#", 1), ("#", 1), ("f/1/two/#", 1)])
        wait(lambda: service.codes and len(one.codes) == len(two.codes) == 3)
        one.say("f/1/two/desired", b"forged")
        two.say("f/1/one/state", b"forged")
        for device in ("one", "two"):
            other.say(f"f/1/{device}/desired", b"order")
        wait(lambda: one.heard and two.heard and len(service.heard) >= 2)
        time.sleep(0.2)
        assert one.heard == [("f/1/one/desired", b"order")] and two.heard == [("f/1/two/desired", b"order")]
        assert sorted(service.heard) == [("f/1/one/desired", b"order"), ("f/1/two/desired", b"order")]
        assert all(each.client.is_connected() for each in (service, one, other, two))  # though all call themselves the same


def _answers(port):
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_a_board_reads_and_writes_its_own_topics_only(elsewhere):
    _, connect, _, _ = elsewhere
    service, one, two = connect(SERVICE_USER), connect("one"), connect("two")
    service.client.subscribe("f/1/#", 1)
    two.client.subscribe([("f/1/one/#", 1), ("#", 1), ("f/1/+/desired", 1), ("f/1/two/#", 1), ("$SYS/#", 0)])
    wait(lambda: service.codes and len(two.codes) == 5)
    one.say("f/1/one/state", b"ready", True)
    two.say("f/1/one/state", b"forged", True)
    two.say("f/1/one/desired", b"forged", True)
    two.say("f/1/fleet-service/x", b"forged")
    two.say("anything", b"forged")
    service.say("f/1/one/desired", b"order", True)
    service.say("f/1/two/desired", b"own order", True)
    wait(lambda: ("f/1/two/desired", b"own order") in two.heard and ("f/1/one/desired", b"order") in service.heard)
    time.sleep(0.2)
    assert set(two.heard) == {("f/1/two/desired", b"own order")}
    assert not [payload for _, payload in service.heard if payload == b"forged"]


def test_without_the_rules_a_board_reads_anothers_topics(elsewhere):
    """The test above bites: the same broker without its acl_file."""
    _, connect, process, folder = elsewhere
    process.terminate()
    process.wait(5)
    lines = [line for line in (folder / "mosquitto.conf").read_text().splitlines() if not line.startswith("acl_file")]
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    port = int(next(line.split()[1] for line in lines if line.startswith("listener")))
    open_broker = subprocess.Popen([find_mosquitto(), "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        wait(lambda: _answers(port))
        one, two = connect("one"), connect("two")
        two.client.subscribe("f/1/one/#", 1)
        wait(lambda: two.codes)
        one.say("f/1/one/state", b"ready")
        wait(lambda: two.heard == [("f/1/one/state", b"ready")])
    finally:
        open_broker.terminate()
        open_broker.wait(5)


def test_only_users_with_their_own_password_get_in(elsewhere):
    site, connect, process, folder = elsewhere
    key = cbor.decode(site.client().identity("two"))[2]
    for user, password in (("one", mac.mqtt_password(key)), ("one", ""), ("nobody", "x"), (SERVICE_USER, "x")):
        assert connect(user, password).refused
    assert not connect("two").refused
    text = (folder / "passwords").read_text()
    assert mac.mqtt_password(key) not in text and "two:$7$" in text
    assert {path.name for path in folder.iterdir() if path.is_file() and path.stat().st_mode & 0o077} == set()
    site.ok("device", "remove", "two", "--yes")
    site.ok("broker", "config", folder, "--user", "root")
    process.send_signal(1)
    wait(lambda: connect("two", mac.mqtt_password(key)).refused)


def test_what_mosquitto_loses_by_default_is_set(quiet):
    quiet.ok("broker", "config", quiet.folder / "b", "--path", "/etc/mosquitto/fleet", "--user", "mosquitto" if _has("mosquitto") else "root")
    text = (quiet.folder / "b" / "mosquitto.conf").read_text()
    wanted = {"persistence true", "autosave_interval 30", "max_queued_messages 100000", "allow_anonymous false", f"listener {quiet.port} 127.0.0.1"}
    assert wanted <= set(text.splitlines())
    assert "password_file /etc/mosquitto/fleet/passwords" in text and "\nuser " in text


def _has(user):
    import pwd

    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def test_emqx_gets_users_as_hashes_and_the_same_rules(quiet):
    quiet.ok("device", "add", "one", "--group", "attic")
    told = quiet.ok("broker", "config", quiet.folder / "e", "--kind", "emqx", "-o", "json").json
    assert told["files"] == ["acl.conf", "emqx.conf", "users.csv"] and told["users"] == 1 + len(SERVICE_USERS)
    rows = [line.split(",") for line in (quiet.folder / "e" / "users.csv").read_text().splitlines()]
    assert rows[0] == ["user_id", "password_hash", "salt", "is_superuser"] and [row[0] for row in rows[1:]] == [*SERVICE_USERS, "one"]
    password = mac.mqtt_password(cbor.decode(quiet.client().identity("one"))[2])
    assert rows[-1][1] == hashlib.sha256((password + rows[-1][2]).encode()).hexdigest() and rows[-1][3] == "false"
    rules = [line for line in (quiet.folder / "e" / "acl.conf").read_text().splitlines() if not line.startswith("%%")]
    assert rules[-1] == "{deny, all}." and '["f/1/${username}/#"]' in rules[-2]
    config = (quiet.folder / "e" / "emqx.conf").read_text()
    assert config.count("{") == config.count("}") and config.count("[") == config.count("]")
    assert f'bind = "127.0.0.1:{quiet.port}"' in config and "no_match = deny" in config and "bootstrap_type = hash" in config


def test_emqx_listens_with_tls_and_without_as_asked(tmp_path):
    site = Site(tmp_path, "external").init("--tls", "--plain-port", "1999")
    text = {}
    for kind, name in (("emqx", "emqx.conf"), ("mosquitto", "mosquitto.conf")):
        site.ok("broker", "config", tmp_path / kind, "--kind", kind)
        text[kind] = (tmp_path / kind / name).read_text()
        assert "Without TLS, for the boards that were told to" in text[kind]
    for listener in (f'listeners.ssl.default {{\n  bind = "127.0.0.1:{site.port}"', 'listeners.tcp.default {bind = "127.0.0.1:1999"'):
        assert listener in text["emqx"]
    settings = site.home.settings_path.read_text()
    site.home.settings_path.write_text(settings.replace("plain_port = 1999", "plain_port = 0"))
    site.ok("broker", "config", tmp_path / "emqx", "--kind", "emqx")
    alone = (tmp_path / "emqx" / "emqx.conf").read_text()
    assert "listeners.tcp.default.enable = false" in alone and "1999" not in alone and "Without TLS" not in alone
    site.home.settings_path.write_text(settings.replace("plain_port = 1999", f"plain_port = {site.port}"))
    assert "a port each" in site.fleet("broker", "config", tmp_path / "emqx").err


def test_a_fleet_works_with_a_broker_elsewhere(tmp_path):
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    with Site(tmp_path, "external") as site:
        site.init()
        site.ok("device", "add", "one", "--group", "attic")
        site.ok("broker", "config", tmp_path / "broker", "--user", "root")
        process = subprocess.Popen([find_mosquitto(), "-c", str(tmp_path / "broker" / "mosquitto.conf")], stderr=subprocess.DEVNULL)
        try:
            site.up()
            board = site.board_again("one")
            path = site.module()
            assert site.fleet("push", path, "--group", "attic").code == 0
            assert board.payload == path.read_bytes()
            site.rest()
            assert "Traceback" not in site.down() and process.poll() is None
        finally:
            process.terminate()
            process.wait()
