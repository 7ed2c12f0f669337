"""Simulated boards of a fleet: added, provisioned and switched on, with a wave on an analogue pin so that guests have something to measure."""

import time

from fleet.errors import FleetError
from fleet.sim.board import Board
from mpwasm.wire import cbor

PERIOD_S = 6.0
FULL = 65535


def start_boards(client, group, count, prefix="sim", address=None):
    """Switch on `count` boards named PREFIX-1, PREFIX-2, … of `group`, adding those that are not there; returns [Board]."""
    known = {row["id"]: row["tls"] for row in client.devices()}
    plain, boards = has_plain_port(client.home), []
    for number in range(1, count + 1):
        name = f"{prefix}-{number}"
        if name not in known:
            client.add_device(name, group, plain=plain)
        elif known[name] and plain:
            client.set_plain([name], True)
        boards.append(_board(client, name, address))
    try:
        for board in boards:
            board.start()
    except FileNotFoundError as error:
        raise FleetError(f"Simulated boards cannot start: {error}.") from error
    return boards


def has_plain_port(home):
    """Whether the fleet has a port without TLS beside one with it: simulated boards use it, they have no `ssl`."""
    broker = home.settings()["broker"]
    return bool(broker["tls_cert"] and broker["plain_port"])


def _board(client, name, address):
    folder = client.home.root / "sim" / name
    identity = client.identity(name)
    if cbor.decode(identity)[10]:
        raise FleetError("Simulated boards cannot speak TLS: their MicroPython has no `ssl`. Give the fleet a `plain_port` in fleet.toml for them.")
    kept = folder / "cfg" / "identity.cbor"
    if not kept.exists() or kept.read_bytes() != identity:
        client.provisioned(name)
    return Board(folder, identity=identity, broker=address)


def wave(now, shift=0.0):
    """A triangle between 10 % and 90 % of full scale with a period of `PERIOD_S`, as an ADC value, at `now` seconds."""
    phase = (now / PERIOD_S + shift) % 1.0
    height = 2 * phase if phase < 0.5 else 2 - 2 * phase
    return int(FULL * (0.1 + 0.8 * height))


def drive(boards, pin, now=None):
    """Put the wave on `pin` of every board, each a little later than the one before."""
    now = time.monotonic() if now is None else now
    for number, board in enumerate(boards):
        board.drive_adc(pin, wave(now, number / max(len(boards), 1)))


def stop_boards(boards):
    """Switch all boards off."""
    for board in boards:
        board.stop()
