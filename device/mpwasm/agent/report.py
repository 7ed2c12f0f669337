"""The message on `reported`, made without the host's `wire.report` classes: the same map, in a fifth of the heap."""

from mpwasm.agent.health import AGENT_VERSION
from mpwasm.compat import const
from mpwasm.wire.cbor import encode
from mpwasm.wire.mac import derive, seal_mac
from mpwasm.wire.topics import topic

_ABI = const(1)


def component(updater):
    """Slot 0, the map of `wire.report.ComponentReport`: the machine's, with what was refused since where it has no detail."""
    c = updater.view.component
    if updater.note and not c[8]:
        c = dict(c)
        c[8] = updater.note
    return c


def report_payload(identity, updater, health, rssi):
    """The sealed report (bytes). Keys as in `wire.report.Report`."""
    view = updater.view
    body = {
        1: view.seq,
        2: [component(updater)],
        3: health.boot_id,
        4: health.next_counter(),
        5: health.boots,
        6: health.measure(),
        7: rssi,
        8: _ABI,
        9: view.nonce,
        10: view.floor,
        11: view.keys_version,
        12: health.port,
        13: health.firmware,
        14: AGENT_VERSION,
        15: health.min_free,
    }
    return seal_mac(derive(identity[2], b"report"), topic(identity[1], "reported"), encode(body))
