"""What a guest says while the broker is away: kept as far as there is room, the rest counted. And a system that can't look at the connection."""

import errno
import types

import pytest

from tests.agent.test_update import confirm
from tests.fakes.engine import program
from tests.fakes.fleet import wait


@pytest.mark.parametrize(("command", "name"), [("log x", "lines"), ("tele level 1 0", "readings")])
def test_what_is_said_outlasts_an_outage_and_what_was_dropped_is_counted(online, fleet, command, name):
    arrived = getattr(fleet, name)
    confirm(fleet, program(command, "sleep 10", "again"))
    ring = getattr(online.supervisor.log, name)
    fleet.broker.stop()
    wait(lambda: ring.dropped > 5)
    fleet.broker.start()
    seen = len(arrived)
    wait(lambda: len(arrived) > seen + 30)
    online.stop()
    dropped, waiting = ring.dropped, len(ring.entries)
    counters = {entry[0] for entry in arrived}
    unsent = online.supervisor.link.session.inflight * 6 + waiting
    lost = ring.counter - len(counters)
    assert dropped <= lost <= dropped + unsent, (lost, dropped, unsent)


def test_a_poll_that_lacks_memory_costs_the_connection_and_not_the_agent(online, fleet):
    transport, ready = online.supervisor.link.transport, fleet.states.count("ready")
    poller = transport.poller

    def poll(_ms):
        transport.poller = poller
        raise OSError(errno.EIO, "EIO")

    transport.poller = types.SimpleNamespace(poll=poll, modify=poller.modify, unregister=poller.unregister)
    wait(lambda: fleet.states.count("ready") > ready)
    wait(lambda: any("EIO" in text for text in fleet.texts()))
