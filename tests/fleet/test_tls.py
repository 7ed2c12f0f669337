"""TLS between the service and mosquitto, with a certificate made for the occasion."""

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID

from fleet.broker import find_mosquitto

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
    assert "connected to the broker" in quiet.down()
