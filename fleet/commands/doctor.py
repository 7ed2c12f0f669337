"""`fleet doctor`: what is wrong, and the cure."""

import contextlib
import shutil
import socket

import click

from fleet.errors import ERROR, FleetError
from fleet.output import as_table, emit, output_option

_ANSWER_S = 3.0
# CONNACK return codes of MQTT 3.1.1, section 3.2.2.3.
_REFUSED = (4, 5)

TABLE = as_table([("", lambda d: "ok" if d["ok"] else "BAD"), ("CHECK", lambda d: d["check"]), ("FOUND", lambda d: d["found"])], "")


@click.command()
@click.option("--port", help="Serial port of a board to look at.")
@click.option("--board", "key", help="Kind of board that it should be.")
@click.option("--wifi", "ssid", help="Wi-Fi network that the board should see.")
@output_option
@click.pass_obj
def command(context, port, key, ssid, output):
    """Check programs, fleet, broker and, with --port, a board; say what is wrong and the cure. Exit code 1 if something is."""
    rows = []
    for check in (*_MACHINE, *(_FLEET if context.home.exists else (_no_fleet,))):
        rows.append(_row(check, context))
    if port:
        rows += _board(port, key, ssid)
    emit(rows, output, TABLE)
    if not all(row["ok"] for row in rows):
        click.get_current_context().exit(ERROR)


def _row(check, context):
    name = check.__doc__.rstrip(".")
    try:
        return {"check": name, "ok": True, "found": check(context)}
    except FleetError as error:
        return {"check": name, "ok": False, "found": error.sentence}


# -- this machine


def _compiler(_context):
    """mpy-cross."""
    from firmware import boards, build
    from fleet.commands.flash import plain_errors

    with plain_errors():
        build.check_compiler(boards.load("pico_w").image)
        return f"emits .mpy version {build.compiler_version()}"


def _programs(_context):
    """esptool and mpremote."""
    import importlib.util

    missing = [name for name in ("esptool", "mpremote") if importlib.util.find_spec(name) is None]
    if missing:
        raise FleetError(f"{' and '.join(missing)} cannot be found. Reinstall: pip install wasmfleet.")
    return "there"


def _firmware(_context):
    """Firmware cache."""
    from firmware import images

    folder = images.cache_folder()
    if folder.exists() and shutil.disk_usage(folder).free < 8 << 20:
        raise FleetError(f"The disk that holds {folder} is full. Make room.")
    names = sorted(path.name for path in folder.glob("*") if path.suffix in (".uf2", ".bin")) if folder.exists() else []
    return ", ".join(names) or "empty: `fleet flash` downloads what it needs"


def _ports(_context):
    """Serial ports."""
    import os

    from firmware import ports

    found = ports.everything()
    for port in found:
        if not os.access(port.name, os.R_OK | os.W_OK):
            raise FleetError(f"You may not use {port.name}. Add yourself to the group that owns it (often dialout), and log in again.")
    return ", ".join(port.name for port in found) or "none: nothing is plugged in"


# -- the fleet


def _no_fleet(context):
    """Fleet."""
    context.home.require()


def _broker_settings(context):
    """Broker address that boards are told."""
    from fleet.commands.flash import _LOOPBACK

    broker = context.home.settings()["broker"]
    if broker["host"] in _LOOPBACK:
        raise FleetError(f"{broker['host']}: only simulated boards find it. Set `host` and `listen` in {context.home.settings_path}.")
    return f"{broker['host']}:{broker['port']}"


def _service(context):
    """Service."""
    service = context.client.service()
    if service is None:
        raise FleetError("It is not running. Start `fleet up` in a terminal of its own.")
    return f"running, broker {service['broker']}"


def _broker(context):
    """Broker refuses strangers."""
    from fleet import brokerfiles

    broker = context.home.settings()["broker"]
    host = "127.0.0.1" if broker["listen"] in ("", "0.0.0.0") else broker["listen"]
    for port, secure in brokerfiles.ports(broker):
        try:
            code = connect_code((host, port), "stranger", "stranger", broker["tls_ca"] if secure else None)
        except OSError as error:
            raise FleetError(f"{host}:{port} does not answer ({error}). Is `fleet up` running, or a firewall in the way?") from error
        if code not in _REFUSED:
            raise FleetError(f"It lets anybody in: some other broker uses port {port}. Set another in fleet.toml.")
    return "yes"


def connect_code(address, user, password, authority=None):
    """The return code of MQTT's CONNACK for this user at (host, port), with TLS where an `authority` (PEM file) is named; OSError if nobody answers
    as a broker does."""
    import ssl

    from mpwasm.wire.connect import connect

    with contextlib.ExitStack() as stack:
        line = stack.enter_context(socket.create_connection(address, timeout=_ANSWER_S))
        if authority:
            line = stack.enter_context(ssl.create_default_context(cafile=authority).wrap_socket(line, server_hostname=address[0]))
        line.sendall(connect("fleet-doctor", 10, True, user, password))
        answer = line.recv(4)
    if len(answer) != 4 or answer[0] != 0x20:
        raise ConnectionError("it is no MQTT broker")
    return answer[3]


_MACHINE = (_compiler, _programs, _firmware, _ports)
_FLEET = (_broker_settings, _service, _broker)


# -- a board


def _board(port, key, ssid):
    """Rows about the board on a port."""
    from firmware import boards, provision
    from firmware.errors import FirmwareError

    try:
        found = provision.facts(port)
        kind = boards.load(key) if key else boards.by_machine(found["machine"])
        if kind is None:
            raise FirmwareError(f"It calls itself {found['machine']}, which is no kind that is known: {', '.join(boards.names())}.")
        wrong = provision.complaints(found, kind, 200_000)
        rows = [_fact("Board", not wrong, " ".join(wrong) or f"{kind.title}, MicroPython {found['version']}")]
        rows.append(_fact("Agent", found["agent"] and found["identity"], _agent(found)))
        if ssid:
            seen = provision.scan(port)
            near = f"{ssid} is not there; the board sees {', '.join(seen) or 'no network'}. Boards know 2.4 GHz networks only."
            rows.append(_fact("Wi-Fi", ssid in seen, f"{ssid} is there" if ssid in seen else near))
    except FirmwareError as error:
        return [_fact("Board", False, error.sentence)]
    return rows


def _agent(found):
    if not found["agent"]:
        return "There is none. `fleet flash` puts it there."
    return "there" if found["identity"] else "It has no identity. `fleet flash` gives it one."


def _fact(check, fine, found):
    return {"check": check, "ok": bool(fine), "found": found}
