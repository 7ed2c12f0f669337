"""The update machine from the trial on: floors, roll-backs, tries, retries, waiting pointers, power cuts at every save."""

from update_bench import TOPIC, Bench, Fleet, deployed

from mpwasm.wire.cbor import encode


def test_floor_rises_at_confirmation_and_only_the_root_lowers_it():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2", counter=5)))
    assert bench.machine.saved.counters == {}
    bench.feed("tick", now=20000)
    assert bench.machine.saved.counters == {"sensor": 5}
    old = fleet.manifest(version="3", counter=4)
    bench.feed("desired", TOPIC, fleet.push(3, manifest=old))
    assert bench.outcome() == ("rejected", "floor")
    bench.feed("desired", TOPIC, fleet.push(4, manifest=old, key_list=fleet.key_list(version=2, floors={"sensor": 3}), version=2))
    assert bench.machine.state == "trial"


def test_trusted_time_raises_the_floor_only():
    fleet, bench = deployed()
    bench.feed("time", 5000)
    bench.feed("time", 4000)
    assert bench.machine.saved.floor == 5000
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(expiry=4999)))
    assert bench.outcome() == ("rejected", "expired")


def test_failing_on_trial_brings_the_old_module_back():
    for reason, outcome in (
        ("trap", "rolled-back"),
        ("exit", "rolled-back"),
        ("exhausted", "rolled-back"),
        ("invalid", "rejected"),
        ("unlinkable", "rejected"),
    ):
        fleet, bench = deployed()
        first = bench.running
        bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2")))
        assert bench.running != first
        bench.feed("failed", 0, reason, "detail " * 60)
        assert bench.outcome() == (outcome, reason) and bench.running == first and bench.slots == [first]
        assert bench.part().version == "1"
        bench.actions = []
        bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2")))
        assert bench.actions == ["report"]


def test_failing_on_trial_with_nothing_before_leaves_nothing_running():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.feed("desired", TOPIC, fleet.push(1))
    bench.feed("failed", 0, "trap", "unreachable")
    assert bench.outcome() == ("rolled-back", "trap") and bench.running is None and bench.slots == []


def test_tries_are_counted_before_each_start():
    fleet, bench = deployed()
    first = bench.running
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2", tries=3)))
    second = bench.running
    for left in (2, 1, 0):
        assert bench.machine.saved.tries == left and bench.running == second
        bench.boot()
    assert bench.outcome() == ("rolled-back", "timeout") and bench.running == first


def test_a_restart_of_the_boards_own_is_no_try():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2", tries=1)))
    second = bench.running
    bench.feed("restarting")
    bench.boot()
    assert (bench.machine.state, bench.machine.saved.tries, bench.running) == ("trial", 0, second)
    bench.feed("tick", now=10000)
    bench.feed("restarting")
    assert bench.outcome() == ("confirmed", None) and bench.machine.saved.tries == 0


def test_outage_rolls_nothing_back():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2")))
    bench.feed("offline")
    bench.feed("tick", now=10000)
    assert bench.machine.state == "trial" and bench.machine.wake is None
    bench.feed("online", now=500000)
    assert bench.outcome() == ("confirmed", None)


def test_crash_after_confirmation_is_reported_as_failed():
    fleet, bench = deployed()
    bench.feed("failed", 0, "trap", "unreachable")
    part = bench.part()
    assert (part.state, part.reason, part.detail) == ("failed", "trap", "unreachable")
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2")))
    assert bench.part().state == "trial"


def test_network_failures_are_retried_later_and_later():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.lose = True
    bench.feed("desired", TOPIC, fleet.push(1))
    assert bench.outcome() == ("failed", "timeout")
    now = 0
    waits = []
    for _ in range(14):
        waits.append(bench.machine.wake - now)
        bench.feed("tick", now=bench.machine.wake - 1)
        now = bench.machine.wake
        bench.feed("tick", now=now)
        assert bench.machine.state == "failed"
    assert 10000 <= waits[0] <= 12500 and 20000 <= waits[1] <= 25000 and waits[-1] == 3600000
    bench.lose = False
    bench.feed("online", now=now)
    assert bench.machine.wake - now <= 10000
    bench.feed("tick", now=bench.machine.wake)
    assert bench.machine.state == "trial"


def test_boards_that_fail_together_try_again_apart():
    waits = []
    for name in ("north", "south", "east", "west"):
        fleet, topic = Fleet(), "f/1/%s/desired" % name
        bench = Bench(fleet)
        bench.board.device = name
        bench.lose = True
        bench.feed("desired", topic, fleet.push(1, topic=topic))
        assert bench.outcome() == ("failed", "timeout")
        waits.append(bench.machine.wake)
    assert len(set(waits)) == 4 and 10000 <= min(waits) and max(waits) <= 12500


def test_lost_payload_is_retried():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.do_download = lambda name, size: ("unstored",)
    bench.feed("desired", TOPIC, fleet.push(1))
    assert bench.outcome() == ("failed", "timeout")
    del bench.do_download
    bench.feed("tick", now=bench.machine.wake)
    assert bench.machine.state == "trial"


def test_newer_pointer_replaces_the_one_under_way():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.do_fetch = lambda *rest: None
    bench.feed("desired", TOPIC, fleet.push(1))
    assert bench.machine.state == "check"
    del bench.do_fetch
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2")))
    assert bench.machine.state == "trial" and bench.saved(True)[0][1] == "2"


def test_newer_pointer_waits_for_the_verdict_of_a_trial():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(2, manifest=fleet.manifest(version="2")))
    bench.feed("desired", TOPIC, fleet.push(3, manifest=fleet.manifest(version="3")))
    assert bench.saved(True)[0][1] == "2" and bench.machine.saved.seq == 2
    bench.feed("tick", now=20000)
    assert bench.saved()[0][1] == "2" and bench.saved(True)[0][1] == "3" and bench.machine.state == "trial"


def test_window_spreads_the_start():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.feed("desired", TOPIC, fleet.push(1, window_s=1000))
    wake = bench.machine.wake
    assert bench.machine.state == "check" and 0 < wake < 1000000
    bench.feed("tick", now=wake - 1)
    assert bench.machine.state == "check"
    bench.feed("tick", now=wake)
    assert bench.machine.state == "trial"


def test_empty_document_stops_what_runs():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(2, empty=True))
    assert bench.outcome() == ("confirmed", None) and bench.running is None
    bench.boot()
    assert bench.running is None


def test_config_of_the_document_replaces_the_manifests():
    fleet, bench = deployed()
    config = fleet.put(encode({"limit": 25}))
    bench.feed("desired", TOPIC, fleet.push(2, config=config))
    assert bench.config == {"limit": 25}
    bench.feed("tick", now=20000)
    bench.actions = []
    bench.feed("desired", TOPIC, fleet.push(3, config=config))
    assert bench.outcome() == ("confirmed", None) and "stage" not in bench.actions
    bench.feed("desired", TOPIC, fleet.push(4, config=fleet.put(encode({"limit": None}))))
    assert bench.outcome() == ("rejected", "cbor")


def test_answers_that_do_not_fit_are_ignored():
    fleet, bench = deployed()
    before = bench.journal
    for event in (
        ("fetched", bytes(32), b""),
        ("verified", True),
        ("stored",),
        ("hashed", bytes(32)),
        ("staged",),
        ("measured", 1, 1),
        ("tick",),
        ("unstored",),
        ("strange",),
    ):
        bench.actions = []
        bench.feed(*event, now=99999)
        assert bench.actions == [], event
    assert bench.journal == before


def test_power_cut_after_every_save():
    for cut in range(1, 9):
        fleet, bench = deployed()
        first = bench.running
        message = fleet.push(2, manifest=fleet.manifest(version="2", counter=1), key_list=fleet.key_list(version=2), version=2)
        bench.cut = cut
        bench.feed("desired", TOPIC, message)
        bench.feed("tick", now=20000)
        done = bench.cut > 0
        bench.cut = None
        bench.boot()
        assert bench.running in bench.slots
        assert bench.running == first or bench.machine.state == "trial" or bench.saved()[0][0] == bench.running
        bench.feed("desired", TOPIC, message)
        bench.feed("tick", now=30000)
        assert bench.outcome() == ("confirmed", None) and bench.saved()[0][1] == "2" and bench.running != first
    assert done
