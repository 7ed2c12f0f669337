"""A signed module in one file: the envelope with its payload integrated (SUIT's ``#`` keys), so that it can be signed anywhere and pushed later."""

from fleet.deploy import Package, belongs
from fleet.errors import SIGNATURE, FleetError
from mpwasm.errors import Refused
from mpwasm.wire import cbor, envelope
from mpwasm.wire.manifest import Manifest

SUFFIX = ".suit"
_PAYLOAD = "#payload"
_MAGIC = b"\xa3\x02"  # a map of three, whose first key is the signature's


def pack(package):
    """The bytes of the file for a `deploy.Package`."""
    return cbor.encode({**cbor.decode(package.envelope), _PAYLOAD: package.payload})


def is_bundle(data):
    """Whether a file's bytes look like one: a WebAssembly module begins with a zero byte."""
    return data[:2] == _MAGIC


def unpack(data, name):
    """The `deploy.Package` in the bytes of the file `name`; FleetError (exit code 6) if it is none or its payload is another one."""
    try:
        parts = cbor.decode(data)
        payload = parts.pop(_PAYLOAD, None)
        sealed = cbor.encode(parts)
        opened = envelope.open_envelope(sealed)
        manifest = Manifest.parse(opened.body)
    except (Refused, AttributeError) as error:
        raise FleetError(f"{name} is no signed module: `fleet sign` writes one.", SIGNATURE) from error
    if not isinstance(payload, bytes) or not belongs(manifest, payload):
        raise FleetError(f"The module in {name} is not the one that was signed (SHA-256 differs).", SIGNATURE)
    return Package(manifest, sealed, payload, opened.kid.hex())
