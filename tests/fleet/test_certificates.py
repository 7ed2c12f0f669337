"""The certificates that a fleet makes for its broker: a strict client takes them for the names they are for, and for no other."""

import ssl

import pytest

from fleet import certificates, client
from fleet.broker import Broker
from fleet.errors import FleetError
from fleet.home import Home


@pytest.fixture
def home(tmp_path):
    """The home of a fleet made with `--tls` for an address."""
    made = Home(tmp_path / "home")
    client.init(made, b"secret", tls=True, host="192.0.2.7", listen="0.0.0.0", port=8883, kind="mosquitto")
    return made


def taken(settings, name):
    """Whether a client that trusts the authority alone, and is strict (RFC 5280), speaks to the broker by `name`."""
    ours = ssl.create_default_context(cafile=settings["tls_ca"])
    ours.verify_flags |= ssl.VERIFY_X509_STRICT
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(settings["tls_cert"], settings["tls_key"])
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = ours.wrap_bio(down, up, server_hostname=name), theirs.wrap_bio(up, down, server_side=True)
    for end in 2 * ends:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return False
    return True


def test_a_fleet_makes_its_certificates(home):
    settings = home.settings()["broker"]
    names = ("192.0.2.7", "127.0.0.1", "localhost", "192.0.2.8", "broker.example")
    assert [name for name in names if taken(settings, name)] == ["192.0.2.7", "127.0.0.1", "localhost"]
    assert b"ENCRYPTED" in home.authority_key.read_bytes()


def test_another_certificate_of_the_same_authority(home):
    settings = home.settings()["broker"]
    certificates.renew(home, ["broker.example", "192.0.2.8"], lambda: b"secret")
    assert taken(settings, "broker.example") and taken(settings, "192.0.2.8") and not taken(settings, "192.0.2.7")
    with pytest.raises(FleetError, match="wrong passphrase"):
        certificates.renew(home, [], lambda: b"guess")
    home.authority_key.unlink()
    with pytest.raises(FleetError, match="fleet init --tls"):
        certificates.renew(home, [], lambda: b"secret")


def test_the_service_connects_by_a_name_that_the_certificate_has(home):
    """Boards may come by an address that does not lead back here."""
    assert Broker(home, None, None).address == ("127.0.0.1", 8883)
    text = home.settings_path.read_text()
    home.settings_path.write_text(text.replace('listen = "0.0.0.0"', 'listen = "192.0.2.9"'))
    assert Broker(home, None, None).address == ("192.0.2.7", 8883)


def test_the_embedded_broker_says_that_it_has_no_tls(home):
    with pytest.raises(FleetError, match="speaks no TLS"):
        Broker(home, None, None, "embedded")
