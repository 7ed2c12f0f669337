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

from fleet.broker import find_mosquitto
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


def test_an_authority_that_boards_could_not_trust_is_said_plainly(quiet):
    text = quiet.home.settings_path.read_text()
    quiet.home.settings_path.write_text(text.replace('tls_cert = ""', 'tls_cert = "x.pem"'))
    quiet.ok("device", "add", "one", "--group", "attic")
    refused = quiet.fleet("device", "provision-file", "one", "--file", quiet.folder / "identity.cbor")
    assert refused.code == 1 and "`tls_ca` in fleet.toml" in refused.err
