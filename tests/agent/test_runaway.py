"""A guest that computes and never waits: rolled back on trial, reported later on, and like all that fails then started again, ever later."""

import time
from types import SimpleNamespace

from mpwasm.agent.guest import Guest
from tests.agent.test_update import OLD, confirm, refused, running
from tests.fakes.engine import program
from tests.fakes.fleet import wait


def test_a_runaway_on_trial_is_rolled_back(online, fleet):
    confirm(fleet, OLD, name="old")
    refused(fleet, fleet.push(program("log spinning", "loop"), busy_ms=200, confirm_s=30), "exhausted", "rolled-back")
    confirm(fleet, program("log waits", "sleep 20", "again"), busy_ms=1, name="waits")
    running(fleet, "waits")


def test_what_fails_later_is_started_again_ever_later(online, fleet):
    seq = confirm(fleet, program("log again", "loop"), busy_ms=1500)
    for wait_ms in (10000, 20000, 40000):
        wait(lambda: fleet.said("failed", "exhausted", seq))
        assert any("guest computes for 1" in line[3] for line in fleet.lines)
        assert " ms without a wait in " in fleet.component.detail
        assert online.supervisor.updater.again[0][1] == wait_ms
        lines = len(fleet.lines)
        online.hardware.skip_ms += wait_ms
        wait(lambda: online.supervisor.guests[0].state == 1)
        wait(lambda n=lines: "again" in [line[3] for line in fleet.lines[n:]])
    online.supervisor.updater.again[0] = 0, 3000000
    wait(lambda: fleet.said("failed", "exhausted", seq) and not online.supervisor.updater.install)
    assert fleet.command("stop") and wait(lambda: online.supervisor.guests[0].state == 0)
    online.hardware.skip_ms += 7200000
    time.sleep(0.3)
    assert online.supervisor.guests[0].state == 0


def test_what_computes_on_is_told_at_once_and_then_ever_more_rarely():
    clock, lines = [0], []
    guest = Guest(SimpleNamespace(uptime_ms=lambda: clock[0]), SimpleNamespace(note=lambda text: lines.append((clock[0], text))))

    def run(steps):
        clock[0] += 20
        return 1

    guest.inst = SimpleNamespace(run=run)
    guest.begin(10000, 2, 0)
    while clock[0] < 30000:
        guest.step(clock[0])
    assert [time for time, _ in lines] == [1020, 2060, 4140, 8300, 16620] and lines[0][1] == "guest computes for 1020 ms"
    guest.inst, guest.wasi = SimpleNamespace(run=lambda steps: 2), SimpleNamespace(wake_ms=0)
    guest.step(clock[0])
    assert guest.busy == 0 and len(lines) == 5


def test_each_module_has_its_own_budgets(online, fleet):
    good, bad = program("log good", "sleep 50", "again"), program("log bad", "loop")
    rows = [fleet.manifest(good, name="good"), fleet.manifest(bad, name="bad", slot=1, busy_ms=1500)]
    fleet.add(good), fleet.add(bad)
    fleet.aim(rows[1], beside=rows[:1], slot=1)

    def states():
        return [(part.name, part.state, part.reason) for part in fleet.reports[-1].components]

    wait(lambda: states() == [("good", "confirmed", None), ("bad", "confirmed", None)])
    began = online.supervisor.guests[0].started_ms
    wait(lambda: states() == [("good", "confirmed", None), ("bad", "failed", "exhausted")])
    running(fleet, "good")
    online.hardware.skip_ms += 10000
    wait(lambda: states() == [("good", "confirmed", None), ("bad", "confirmed", None)])
    assert online.supervisor.guests[0].started_ms == began
