"""The agent over TLS: it trusts the authority that its identity pins, and no other."""

import errno
import ssl
import threading

import pytest

from tests.agent.conftest import Agent
from tests.agent.test_update import NEW, confirm, running
from tests.fakes import engine
from tests.fakes.broker import Broker
from tests.fakes.fleet import Fleet, wait
from tests.fleet.test_tls import make_certificate


class SecureBroker(Broker):
    """The fake broker behind TLS; `failed` lists what went wrong with handshakes."""

    def __init__(self, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.failed = []
        super().__init__()

    def wrapped(self, sock):
        try:
            return self.context.wrap_socket(sock, server_side=True)
        except OSError as error:
            self.failed.append(error)
            sock.close()
            return None


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """A board and its fleet over TLS: make(authority in PEM) gives (agent, fleet)."""
    (tmp_path / "board").mkdir()
    engine.install(monkeypatch)
    made = []

    def make(authority=None, address="127.0.0.1"):
        certificate, key = make_certificate(tmp_path, address)
        fleet = Fleet(SecureBroker(certificate, key))
        der = ssl.PEM_cert_to_DER_cert((authority or certificate).read_text())
        made.extend((Agent(tmp_path / "board", fleet.identity(_10=der)), fleet))
        made[0].start()
        return made[0], fleet

    yield make
    made[0].stop()
    made[1].broker.stop()
    assert made[0].dead is None


def test_an_update_over_tls(secure):
    _, fleet = secure()
    wait(lambda: "ready" in fleet.states)
    confirm(fleet, NEW + b"\n" + bytes(20000))
    running(fleet, "new")
    fleet.broker.cut()
    wait(lambda: fleet.states.count("ready") == 2)


def stranger(tmp_path):
    """The certificate of another authority."""
    (tmp_path / "other").mkdir()
    return make_certificate(tmp_path / "other")[0]


def test_a_broker_of_another_authority_is_not_spoken_to(secure, tmp_path):
    agent, fleet = secure(stranger(tmp_path))
    wait(lambda: len(fleet.broker.failed) >= 2)
    assert fleet.broker.connects == 0 and agent.supervisor.link.ready is False
    assert any("certificate verify failed" in line[3] for line in agent.supervisor.log.lines.entries)


def test_a_certificate_for_another_address_does_not_do(secure):
    agent, fleet = secure(address="127.0.0.2")
    wait(lambda: len(fleet.broker.failed) >= 2)
    assert fleet.broker.connects == 0 and agent.supervisor.link.ready is False


@pytest.mark.parametrize("name", ["read", "write"])
def test_what_micropython_makes_of_a_bad_certificate_is_survived(secure, monkeypatch, name):
    """A ValueError of several lines, at the read or write with which the handshake goes on."""
    true, broken = getattr(ssl.SSLSocket, name), threading.Event()

    def refusing(sock, *arguments):
        if sock.server_side or broken.is_set():
            return true(sock, *arguments)
        broken.set()
        raise ValueError("\nThe certificate validity has expired\n")

    monkeypatch.setattr(ssl.SSLSocket, name, refusing)
    agent, fleet = secure()
    wait(lambda: "ready" in fleet.states)
    assert broken.is_set() and agent.dead is None


def test_without_the_pin_it_would_be(secure, tmp_path, monkeypatch):
    from mpwasm.agent.tls import Secure

    true = Secure.__init__

    def trusting(self, *identity):
        true(self, *identity)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    monkeypatch.setattr(Secure, "__init__", trusting)
    _, fleet = secure(stranger(tmp_path))
    wait(lambda: "ready" in fleet.states)


def test_a_line_that_an_update_leaves_no_heap_for_comes_back(secure, monkeypatch):
    """Else the update waits for the line, and the line for the update's memory."""
    agent, fleet = secure()
    wait(lambda: "ready" in fleet.states)
    updater, true, lacked = agent.supervisor.updater, ssl.SSLContext.wrap_socket, []

    def wrap(context, sock, **options):
        if updater.install and not options.get("server_side"):
            lacked.append(sock)
            raise OSError(errno.ENOMEM, "ENOMEM")
        return true(context, sock, **options)

    fleet.serving = False
    seq = fleet.push(NEW)
    wait(lambda: updater.busy)
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    fleet.broker.cut()
    wait(lambda: lacked and agent.supervisor.link.ready)
    fleet.serving = True
    wait(lambda: fleet.said("confirmed", seq=seq))
