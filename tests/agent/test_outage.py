"""What a guest says while the broker is away: kept as far as there is room, the rest counted."""

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
