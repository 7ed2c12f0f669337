"""TLS between the service and mosquitto, with a certificate made for the occasion."""

import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID

from fleet.broker import find_mosquitto
from mpwasm.wire import cbor
from tests.agent.conftest import Agent
from tests.fleet.site import wait

PEM = serialization.Encoding.PEM
DAY = datetime.timedelta(days=1)


def make_certificate(folder):
    """A self-signed certificate for 127.0.0.1; returns (certificate path, key path)."""
    key, name = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fleet test")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    certificate = builder.sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(certificate.public_bytes(PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_service_speaks_tls(quiet):
    certificate, key = make_certificate(quiet.folder)
    text = quiet.home.settings_path.read_text()
    for name, path in (("tls_ca", certificate), ("tls_cert", certificate), ("tls_key", key)):
        text = text.replace(f'{name} = ""', f'{name} = "{path}"')
    quiet.home.settings_path.write_text(text.replace('kind = "embedded"', 'kind = "mosquitto"'))
    quiet.up()
    quiet.ok("device", "add", "one", "--group", "attic")
    identity = quiet.client().identity("one")
    assert cbor.decode(identity)[10] == ssl.PEM_cert_to_DER_cert(certificate.read_text())
    (quiet.folder / "board").mkdir()
    board = Agent(quiet.folder / "board", identity)
    board.start()
    wait(lambda: quiet.client().device("one")["state"] == "ready", what="for the board's agent over TLS")
    wait(lambda: quiet.store().report("one"), what="for its report")
    board.stop()
    simulated = quiet.fleet("sim", "up", "--group", "attic")
    assert simulated.code == 1 and "cannot speak TLS" in simulated.err
    assert "connected to the broker" in quiet.down()


def test_an_authority_that_boards_could_not_trust_is_said_plainly(quiet):
    text = quiet.home.settings_path.read_text()
    quiet.home.settings_path.write_text(text.replace('tls_cert = ""', 'tls_cert = "x.pem"'))
    quiet.ok("device", "add", "one", "--group", "attic")
    refused = quiet.fleet("device", "provision-file", "one", "--file", quiet.folder / "identity.cbor")
    assert refused.code == 1 and "`tls_ca` in fleet.toml" in refused.err
