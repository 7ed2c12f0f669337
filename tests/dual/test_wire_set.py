"""Documents of several components: they stand and fall together; the agent among them, which main.py starts, counts and falls back from."""

from update_bench import PAYLOAD, RELEASE, STRANGER, TOPIC, Bench, Fleet, deployed, digest

from mpwasm.wire import envelope
from mpwasm.wire.cbor import encode
from mpwasm.wire.saved import Saved

SCOPES = ("kind:wasm", "kind:agent", "group:*", "cap:*")
AGENT = 15
MEMORY = 40000


def two(fleet, seq, first="1", second="1", **more):
    """A document with modules in the slots 0 and 1."""
    other = fleet.component(1, fleet.manifest(name="other", slot=1, version=second, memory=MEMORY))
    return fleet.push(seq, fleet.manifest(version=first, memory=MEMORY), others=[other], **more)


def agent(fleet, seq, version="2", manifest=None, signer=RELEASE, scopes=SCOPES, modules=True, **fields):
    """A document with an agent beside the module of `deployed`."""
    about = {"kind": "agent", "name": "agent", "version": version, "capabilities": [], "memory": 50000, "slot": AGENT}
    about.update(fields)
    row = fleet.component(AGENT, fleet.manifest(signer, **about), kind="agent")
    listed = fleet.key_list(2, scopes=scopes)
    first = [fleet.component(0, manifest or fleet.manifest())] if modules else []
    return fleet.aim(seq, first + [row], listed, 2)


def states(bench):
    return {row.slot: (row.state, row.version) for row in bench.machine.components()}


def test_two_modules_go_on_trial_together_and_are_confirmed_together():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.feed("desired", TOPIC, two(fleet, 1))
    assert len(bench.guests) == 2 and bench.machine.state == "trial" and not bench.saved()
    assert bench.log.count("preflight") == 2
    bench.feed("tick", now=10000)
    assert bench.saved() == {0: (bench.guests[0], "1"), 1: (bench.guests[1], "1")} and sorted(bench.slots) == sorted(bench.guests.values())
    assert states(bench) == {0: ("confirmed", "1"), 1: ("confirmed", "1")}


def confirmed_two():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.feed("desired", TOPIC, two(fleet, 1))
    bench.feed("tick", now=10000)
    return fleet, bench


def test_a_new_module_that_fails_takes_the_others_back_too():
    fleet, bench = confirmed_two()
    before = dict(bench.guests)
    bench.feed("desired", TOPIC, two(fleet, 2, "2", "2"))
    assert bench.guests[0] != before[0] and bench.guests[1] != before[1]
    bench.feed("failed", 1, "trap", "x")
    assert bench.outcome() == ("rolled-back", "trap") and bench.guests == before and sorted(bench.slots) == sorted(before.values())


def test_only_what_is_new_decides_a_trial():
    fleet, bench = confirmed_two()
    bench.feed("desired", TOPIC, two(fleet, 2, "1", "2"))
    assert bench.log[-1] == "trial" and bench.log.count("preflight") == 3
    assert states(bench) == {0: ("confirmed", "1"), 1: ("trial", "2")}
    bench.feed("failed", 0, "trap", "an old fault")
    assert bench.machine.state == "trial"
    bench.feed("tick", now=30000)
    assert bench.outcome() == ("confirmed", None) and states(bench) == {0: ("failed", "1"), 1: ("confirmed", "2")}


def test_what_a_document_leaves_out_stops():
    fleet, bench = confirmed_two()
    kept = bench.guests[0]
    bench.feed("desired", TOPIC, fleet.push(2, fleet.manifest(memory=MEMORY)))
    assert bench.outcome() == ("confirmed", None) and bench.guests == {0: kept} and bench.slots == [kept]
    bench.boot()
    assert bench.guests == {0: kept}


def test_what_a_rolled_back_document_left_out_comes_back():
    fleet, bench = confirmed_two()
    before = dict(bench.guests)
    bench.feed("desired", TOPIC, fleet.push(2, fleet.manifest(version="2")))
    assert 1 not in bench.guests
    bench.feed("failed", 0, "exit", "1")
    assert bench.guests == before


def test_one_bad_component_refuses_all():
    fleet, bench = confirmed_two()
    before = dict(bench.guests)
    bad = fleet.component(1, fleet.manifest(STRANGER, name="other", slot=1, version="2"))
    bench.feed("desired", TOPIC, fleet.push(2, fleet.manifest(version="2"), others=[bad]))
    assert bench.outcome() == ("rejected", "unknown-key") and bench.guests == before
    twin = fleet.component(0, fleet.manifest(version="3"))
    bench.feed("desired", TOPIC, fleet.push(3, fleet.manifest(version="2"), others=[twin]))
    assert bench.outcome() == ("rejected", "abi") and bench.guests == before


def test_memory_is_for_all_of_them():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.room = (100000, 79999)
    bench.feed("desired", TOPIC, two(fleet, 1))
    assert bench.outcome() == ("rejected", "no-memory"), "two of 40,000 bytes"


def test_config_and_module_change_together_and_come_back_together():
    fleet = Fleet()
    bench = Bench(fleet)
    low, high = fleet.put(encode({"limit": 25})), fleet.put(encode({"limit": 80}))
    bench.feed("desired", TOPIC, fleet.push(1, config=low))
    bench.feed("tick", now=10000)
    first = bench.running
    bench.feed("desired", TOPIC, fleet.push(2, config=high))
    assert bench.running != first, "the same module with another config is another thing to run"
    bench.feed("failed", 0, "trap")
    assert bench.running == first and bench.slots == [first]


# -- the agent


def test_a_new_agent_starts_by_a_reset_and_is_confirmed_online():
    fleet, bench = deployed()
    module = bench.running
    bench.feed("desired", TOPIC, agent(fleet, 2))
    assert bench.machine.state == "trial" and bench.agent == digest(PAYLOAD) and bench.pointer == [bench.agent, 2, None]
    assert bench.running == module
    bench.feed("tick", now=20000)
    assert bench.outcome() == ("confirmed", None) and bench.pointer == [bench.agent]
    assert bench.saved()[AGENT][1] == "2" and states(bench)[AGENT] == ("confirmed", "2")
    bench.actions = []
    bench.feed("desired", TOPIC, agent(fleet, 3))
    assert bench.outcome() == ("confirmed", None) and "download" not in bench.actions


def test_an_agent_that_dies_is_given_up_by_main():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, agent(fleet, 2))
    for _ in range(2):
        assert bench.agent == digest(PAYLOAD)
        bench.boot()
    assert bench.agent == digest(PAYLOAD) and bench.pointer[1] == 0
    bench.boot()
    assert bench.agent is None and bench.outcome() == ("rolled-back", "trap") and bench.pointer == [None] and bench.running
    bench.actions = []
    bench.feed("desired", TOPIC, agent(fleet, 2))
    assert bench.actions == ["report"], "never tried again"


def test_an_agent_that_never_gets_online_is_undone():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, agent(fleet, 2))
    boots = 0
    while bench.agent is not None and boots < 9:
        boots += 1
        bench.feed("offline")
        for now in (10000, 200000, 309999, 310001):
            bench.feed("tick", now=now)
    assert bench.outcome() == ("rolled-back", "trap") and bench.agent is None and boots == 3


def test_a_module_that_fails_under_a_new_agent_brings_the_old_agent_back():
    fleet, bench = deployed()
    module = bench.running
    bench.feed("desired", TOPIC, agent(fleet, 2, manifest=fleet.manifest(version="9")))
    assert bench.running != module
    bench.feed("failed", 0, "trap")
    assert bench.agent is None and bench.running == module and bench.pointer == [None]
    assert bench.outcome() == ("rolled-back", "trap")


def test_a_document_without_agent_leaves_the_one_there_is():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, agent(fleet, 2))
    bench.feed("tick", now=20000)
    bench.feed("desired", TOPIC, fleet.push(3, fleet.manifest(version="3"), fleet.key_list(2, scopes=SCOPES), 2))
    bench.feed("tick", now=40000)
    assert set(bench.saved()) == {0, AGENT} and bench.agent == digest(PAYLOAD)


def test_only_a_key_for_agents_signs_one_and_the_name_is_its_own():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, agent(fleet, 2, scopes=("kind:wasm", "group:*", "cap:*")))
    assert bench.outcome() == ("rejected", "key-scope")
    bench.feed("desired", TOPIC, agent(fleet, 3, name="sensor"))
    assert bench.outcome()[0] == "rejected"
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, fleet.push(2, fleet.manifest(name="agent", counter=1000)))
    assert bench.outcome() == ("rejected", "not-manifest"), "a module could raise the agent's floor"
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, agent(fleet, 2, memory=100001))
    assert bench.outcome() == ("rejected", "no-space")


def test_power_cut_after_every_save_of_an_agent_update():
    for cut in range(1, 12):
        fleet, bench = deployed()
        message = agent(fleet, 2, manifest=fleet.manifest(version="2"), counter=3)
        bench.cut = cut
        bench.feed("desired", TOPIC, message)
        bench.feed("tick", now=20000)
        done = bench.cut > 0
        bench.cut = None
        bench.boot()
        assert bench.agent in (None, digest(PAYLOAD)) and bench.running in bench.slots
        bench.feed("desired", TOPIC, message)
        bench.feed("tick", now=30000)
        assert bench.outcome() == ("confirmed", None) and bench.agent == digest(PAYLOAD) and bench.pointer == [bench.agent]
        assert Saved.parse(bench.journal).counters == {"agent": 3}
    assert done


def test_cut_between_verdict_and_pointer():
    """The journal is saved first; the boot after the cut makes the pointer say the same."""
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, agent(fleet, 2))
    bench.do_settle = lambda: None  # cut
    bench.feed("tick", now=20000)
    assert len(bench.pointer) == 3
    del bench.do_settle
    bench.boot()
    assert bench.pointer == [digest(PAYLOAD)] and bench.outcome() == ("confirmed", None)
    bench.feed("desired", TOPIC, agent(fleet, 3, version="3", manifest=fleet.manifest(version="3")))
    bench.do_revert = lambda: None
    bench.feed("failed", 0, "trap")
    assert bench.outcome() == ("rolled-back", "trap")


def test_a_confirmed_agent_that_main_gave_up_is_said():
    fleet, bench = deployed()
    bench.feed("desired", TOPIC, agent(fleet, 2))
    bench.feed("tick", now=20000)
    bench.pointer = [None, bench.agent]
    bench.boot()
    assert bench.outcome() == ("rolled-back", "trap") and set(bench.saved()) == {0} and bench.pointer == [None]
    bench.feed("desired", TOPIC, agent(fleet, 3))
    assert bench.agent == digest(PAYLOAD), "a new order tries it again"


def test_a_job_does_not_go_on_for_ever():
    fleet = Fleet()
    bench = Bench(fleet)
    bench.do_download = lambda *rest: None
    bench.feed("desired", TOPIC, fleet.push(1))
    assert bench.machine.state == "downloading"
    bench.feed("tick", now=4 * 3600000 - 1)
    assert bench.machine.state == "downloading"
    bench.feed("tick", now=bench.machine.wake)
    assert bench.outcome() == ("failed", "timeout") and bench.machine.detail == "downloading"


def test_the_same_envelope_kid_is_noted():
    fleet, bench = deployed()
    assert Saved.parse(bench.journal).running[0].signer == envelope.kid_of(RELEASE)
