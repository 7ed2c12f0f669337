"""TLS between service, board and mosquitto, with the certificates that the fleet makes."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID

from fleet.broker import find_mosquitto, free_port
from mpwasm.wire import cbor
from tests.agent.conftest import Agent
from tests.fleet.site import Site, wait

PEM = serialization.Encoding.PEM
DAY = datetime.timedelta(days=1)


def make_certificate(folder, address="127.0.0.1"):
    """A self-signed certificate for an address; returns (certificate path, key path)."""
    key, name = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fleet test")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    certificate = builder.sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(certificate.public_bytes(PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_service_speaks_tls(tmp_path):
    with Site(tmp_path, "mosquitto") as made:
        made.init("--tls").up()
        made.ok("device", "add", "one", "--group", "attic")
        identity = made.client().identity("one")
        assert cbor.decode(identity)[10] == ssl.PEM_cert_to_DER_cert(Path(made.home.settings()["broker"]["tls_ca"]).read_text())
        (tmp_path / "board").mkdir()
        board = Agent(tmp_path / "board", identity)
        board.start()
        wait(lambda: made.client().device("one")["state"] == "ready", what="for the board's agent over TLS")
        wait(lambda: made.store().report("one"), what="for its report")
        board.stop()
        simulated = made.fleet("sim", "up", "--group", "attic")
        assert simulated.code == 1 and "cannot speak TLS" in simulated.err
        assert made.ok("broker", "certify", "broker.example", "-o", "json").json["hosts"] == ["127.0.0.1", "broker.example"]
        assert "connected to the broker" in made.down()


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_a_fleet_with_boards_that_do_without(tmp_path):
    with Site(tmp_path, "mosquitto") as made:
        plain_port = free_port()
        made.init("--tls", "--plain-port", plain_port)
        made.ok("device", "add", "secure", "--group", "attic")
        made.ok("device", "add", "small", "--group", "attic", "--plain")
        made.up()
        secure, small = made.board_again("secure"), made.board_again("small")
        assert secure.authority and secure.address == ("127.0.0.1", made.port)
        assert small.authority is False and small.address == ("127.0.0.1", plain_port)
        path = made.module()
        assert made.fleet("push", path, "--group", "attic").code == 0
        assert secure.payload == small.payload == path.read_bytes()
        rows = made.ok("device", "list", "-o", "json").json
        assert {row["id"]: (row["state"], row["tls"]) for row in rows} == {"secure": ("ready", True), "small": ("ready", False)}
        assert "TLS         yes" in made.ok("device", "show", "secure").out and "can read its orders" in made.ok("device", "show", "small").out
        doctor = {row["check"]: row for row in made.fleet("doctor", "-o", "json").json}
        assert doctor["Broker refuses strangers"]["ok"], doctor
        assert made.ok("simulate", "-n", "2", "--group", "attic", "--seconds", "2", "-o", "json").out.count("ready")
        made.rest()
        assert f"127.0.0.1:{made.port} with TLS, on {plain_port} without." in made.down()


def test_a_board_that_changes_over(quiet):
    text = quiet.home.settings_path.read_text()
    quiet.ok("device", "add", "one", "--group", "attic")
    refused = quiet.fleet("device", "add", "two", "--group", "attic", "--plain")
    assert refused.code == 2 and "two cannot be told to do without TLS" in refused.err and "Set `plain_port`" in refused.err
    certificate, _ = make_certificate(quiet.folder)
    text = text.replace('tls_cert = ""', f'tls_cert = "{certificate}"').replace('tls_ca = ""', f'tls_ca = "{certificate}"')
    quiet.home.settings_path.write_text(text.replace("plain_port = 0", "plain_port = 7"))
    told = []
    for option in ((), ("--plain",), (), ("--tls",)):
        quiet.ok("device", "provision-file", "one", "--file", quiet.folder / "identity.cbor", *option)
        fields = cbor.decode((quiet.folder / "identity.cbor").read_bytes())
        told.append((fields[6], bool(fields[10])))
    assert told == [(quiet.port, True), (7, False), (7, False), (quiet.port, True)]
    quiet.ok("device", "provision-file", "one", "--file", quiet.folder / "identity.cbor", "--plain")
    quiet.home.settings_path.write_text(text)
    refused = quiet.fleet("device", "provision-file", "one", "--file", quiet.folder / "identity.cbor")
    assert refused.code == 2 and "one cannot be told to do without TLS" in refused.err


def test_ports_that_make_no_sense_are_refused(tmp_path):
    site = Site(tmp_path)
    alone = site.fleet("init", "--insecure-plain-keys", "--plain-port", "1885")
    assert alone.code == 2 and "add --tls" in alone.err
    same = site.fleet("init", "--insecure-plain-keys", "--tls", "--port", "1885", "--plain-port", "1885")
    assert same.code == 2 and "a port each" in same.err and not site.home.exists


def test_an_authority_that_boards_could_not_trust_is_said_plainly(quiet):
    text = quiet.home.settings_path.read_text()
    quiet.home.settings_path.write_text(text.replace('tls_cert = ""', 'tls_cert = "x.pem"'))
    quiet.ok("device", "add", "one", "--group", "attic")
    refused = quiet.fleet("device", "provision-file", "one", "--file", quiet.folder / "identity.cbor")
    assert refused.code == 1 and "`tls_ca` in fleet.toml" in refused.err
