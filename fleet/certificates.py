"""The authority that boards pin, and the broker's certificate of it: `fleet init --tls` makes both, `fleet broker certify` the latter anew."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID

from fleet.errors import SIGNATURE, FleetError
from fleet.home import write_secret

# From before any board's clock, set or not, so that nobody waits for NTP; to the end of what the short form of a date can say.
FIRST = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
LAST = datetime.datetime(2049, 12, 31, tzinfo=datetime.UTC)
HERE = ("127.0.0.1", "localhost")
OTHER_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "encipher_only", "decipher_only"),
)
PEM = serialization.Encoding.PEM


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


AUTHORITY = _name("fleet authority")


def make(home, hosts, passphrase):
    """Make an authority and the broker's certificate for `hosts`, names or addresses, and this machine, where `paths` says."""
    key = generate_private_key(SECP256R1())
    usage = x509.KeyUsage(key_cert_sign=True, crl_sign=True, **dict.fromkeys(OTHER_USES, False))
    unsigned = _builder(AUTHORITY, AUTHORITY, key).add_extension(x509.BasicConstraints(True, 0), True).add_extension(usage, True)
    signed = unsigned.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False).sign(key, hashes.SHA256())
    Path(paths(home)["tls_ca"]).write_bytes(signed.public_bytes(PEM))
    write_secret(home.authority_key, _pem(key, passphrase))
    _issue(home, signed, key, hosts)


def renew(home, hosts, passphrase):
    """Make another certificate of the authority for `hosts` and this machine; `passphrase()` opens the authority's key. FleetError without one."""
    try:
        authority = x509.load_pem_x509_certificate(Path(paths(home)["tls_ca"]).read_bytes())
        data = home.authority_key.read_bytes()
        key = serialization.load_pem_private_key(data, passphrase() if b"ENCRYPTED" in data else None)
    except OSError as error:
        raise FleetError(f"{error.filename} cannot be read: it is where the fleet was made with `fleet init --tls`.") from error
    except (ValueError, TypeError) as error:
        raise FleetError(f"{home.authority_key} cannot be opened: wrong passphrase, or not a PEM private key.", SIGNATURE) from error
    _issue(home, authority, key, hosts)


def paths(home):
    """The settings tls_ca, tls_cert and tls_key of a fleet with certificates of its own."""
    return {setting: str((home.broker / f"{setting}.pem").absolute()) for setting in ("tls_ca", "tls_cert", "tls_key")}


def _issue(home, authority, authority_key, hosts):
    key, names = generate_private_key(SECP256R1()), [_general(host) for host in dict.fromkeys((*hosts, *HERE))]
    unsigned = _builder(_name("fleet broker"), authority.subject, key).add_extension(x509.SubjectAlternativeName(names), False)
    unsigned = unsigned.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False)
    where = paths(home)
    write_secret(Path(where["tls_key"]), _pem(key, None))
    Path(where["tls_cert"]).write_bytes(unsigned.sign(authority_key, hashes.SHA256()).public_bytes(PEM))


def _pem(key, passphrase):
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how)


def _builder(subject, issuer, key):
    return x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), FIRST, LAST)


def _general(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def covers(path, host):
    """Whether the certificate in the PEM file `path` names `host`; FleetError if it is none."""
    try:
        certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
        return _general(host) in certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    except (OSError, ValueError) as error:
        raise FleetError(f"`tls_cert` in fleet.toml, {path}, is no PEM certificate.") from error
