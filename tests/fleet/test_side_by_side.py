"""Two service processes on one broker and one PostgreSQL: one is killed in mid-rollout, and nothing is lost or done twice."""

import signal

import pytest

from fleet.broker import find_mosquitto
from tests.fleet.postgres import find_programs
from tests.fleet.site import Site, wait
from tests.fleet.test_simulate import AT_ONCE, online, swarm

pytestmark = pytest.mark.skipif(not (find_mosquitto() and find_programs()), reason="needs mosquitto and PostgreSQL")
BOARDS = 40


@pytest.fixture
def site(tmp_path, postgres):
    """A fleet on PostgreSQL with `fleet up` running."""
    with Site(tmp_path, "mosquitto") as made:
        yield made.init("--database", postgres.url()).up()


def live(site):
    """How many services give signs of life."""
    return len(site.store().live_services(3))


def test_service_killed_in_mid_rollout(site):
    other = site.spawn("service", "--number", "2")
    try:
        wait(lambda: live(site) == 2, what="for both services")
        with swarm(site, BOARDS):
            online(site, BOARDS)
            path = site.module(filler=8192, settings="confirm_s = 1\n")
            site.ok("push", path, "--group", "greenhouse", *AT_ONCE, "--no-watch")
            wait(lambda: any(row["state"] not in ("queued", "sent") for row in site.client().rollout(1)["targets"]), what="for the first boards")
            other.send_signal(signal.SIGKILL)
            wait(lambda: site.client().rollout(1)["state"] == "done", 60, "for every board")
    finally:
        other.kill()
        other.communicate()
    assert site.client().rollout(1)["counts"] == {"confirmed": BOARDS}
    assert [row.seq for row in site.store().all_desired()] == [1] * BOARDS
    assert [row.count for row in site.store().audit_events("rollout done")] == [1]
    assert {row["status"] for row in site.client().devices()} == {"confirmed"}
