"""Keys come and go: new lists, revocation of what runs, one root after another; all of it over the air and through power cuts."""

from expect import raises
from update_bench import RELEASE, ROOT, STRANGER, TOPIC, Bench, Fleet, deployed, fake_sign

from mpwasm.errors import Refused
from mpwasm.wire import envelope, keys
from mpwasm.wire.saved import Saved

ROOTS = (ROOT, b"1" * 32, b"2" * 32, b"3" * 32)
NEW = b"N" * 32
OLD_KID = envelope.kid_of(RELEASE)


def link(old, new, signer=None):
    """The hand-over from the root `old` to `new`, signed by `old` unless told otherwise."""
    return keys.Link(old=envelope.kid_of(old), public=new, signature=fake_sign(signer or old)(keys.link_message(new)))


def links(count):
    """The first `count` hand-overs of ROOTS."""
    return [link(ROOTS[i], ROOTS[i + 1]) for i in range(count)]


def renewed(fleet, bench, seq, version=2, manifest=None, **options):
    """Tell the board a new key list, with the module that it runs already unless another is named."""
    if "public" not in options:
        options["public"] = NEW
    listed = fleet.key_list(version, **options)
    bench.feed("desired", TOPIC, fleet.push(seq, manifest, listed, version))


def test_a_revoked_key_leaves_what_runs_unless_the_list_says_stop():
    fleet, bench = deployed()
    running = bench.running
    assert Saved.parse(bench.journal).running[0].signer == OLD_KID
    renewed(fleet, bench, 2, revoked=[OLD_KID])
    assert bench.outcome() == ("confirmed", None) and bench.running == running and bench.machine.saved.keys_version == 2
    renewed(fleet, bench, 3, 3, fleet.manifest(version="2"), revoked=[OLD_KID])
    assert bench.outcome() == ("rejected", "revoked-key") and bench.running == running
    renewed(fleet, bench, 4, 4, revoked=[OLD_KID], stopped=[OLD_KID])
    assert bench.outcome() == ("rejected", "revoked-key") and bench.running is None
    bench.boot()
    assert bench.running is None and not bench.machine.saved.running


def test_a_stopped_module_is_replaced_by_one_of_a_new_key():
    fleet, bench = deployed()
    old = bench.running
    renewed(fleet, bench, 2, 2, fleet.manifest(NEW, version="2"), revoked=[OLD_KID], stopped=[OLD_KID])
    assert bench.machine.state == "trial" and bench.running not in (None, old)
    bench.feed("failed", 0, "trap")
    assert bench.outcome() == ("rolled-back", "trap") and bench.running is None, "what a stopped key signed came back"


def test_stopping_is_in_the_journal_with_the_list_or_neither_is():
    for cut in range(1, 8):
        fleet, bench = deployed()
        bench.cut = cut
        message = fleet.push(2, None, fleet.key_list(2, NEW, revoked=[OLD_KID], stopped=[OLD_KID]), 2)
        bench.feed("desired", TOPIC, message)
        saved = Saved.parse(bench.journal)
        assert (saved.keys_version == 2) == (not saved.running)
        bench.cut = None
        bench.boot()
        assert (bench.running is None) == (saved.keys_version == 2)
        bench.feed("desired", TOPIC, message)
        assert bench.running is None


def test_a_list_is_saved_before_it_is_used():
    fleet, bench = deployed()
    bench.actions = []
    renewed(fleet, bench, 2, 2, fleet.manifest(NEW, version="2"))
    actions = bench.actions
    first = actions.index("verify")
    assert "save" in actions[first : actions.index("verify", first + 1)]
    renewed(fleet, bench, 3, 1)
    assert bench.machine.saved.keys_version == 2


def test_a_new_root_is_signed_by_the_old_one_and_by_itself():
    fleet, bench = deployed()
    renewed(fleet, bench, 2, signer=ROOTS[1], links=links(1))
    assert bench.outcome() == ("confirmed", None) and bench.machine.saved.root == ROOTS[1]
    bench.boot()
    renewed(fleet, bench, 3, 3, fleet.manifest(NEW, version="3"), signer=ROOTS[1], links=links(1))
    assert bench.machine.state == "trial"


def test_a_board_that_was_off_for_three_rotations_follows():
    fleet, bench = deployed()
    renewed(fleet, bench, 2, 5, signer=ROOTS[3], links=links(3))
    assert bench.outcome() == ("confirmed", None) and bench.machine.saved.root == ROOTS[3] and bench.actions.count("verify") >= 4


def test_the_old_root_has_no_say_any_more():
    fleet, bench = deployed()
    renewed(fleet, bench, 2, signer=ROOTS[1], links=links(1))
    renewed(fleet, bench, 3, 3)
    assert bench.outcome() == ("rejected", "bad-root")
    renewed(fleet, bench, 4, 3, signer=STRANGER, links=[link(ROOT, STRANGER)])
    assert bench.outcome() == ("rejected", "bad-root") and bench.machine.saved.root == ROOTS[1]


def test_hand_overs_that_are_not_the_old_roots_are_refused():
    for each in (
        {"signer": STRANGER, "links": [link(ROOT, STRANGER, STRANGER)]},
        {"signer": STRANGER, "links": [link(ROOTS[1], STRANGER)]},
        {"signer": STRANGER, "links": []},
        {"signer": STRANGER, "links": links(1)},
        {"signer": STRANGER, "links": links(1), "kid": envelope.kid_of(ROOTS[1])},
    ):
        fleet, bench = deployed()
        renewed(fleet, bench, 2, **each)
        assert bench.outcome() == ("rejected", "bad-root"), each
        assert bench.machine.saved.root == ROOT and bench.machine.saved.keys_version == 1


def test_a_hand_over_is_no_signature_over_a_list():
    body = keys.KeyList(version=2, keys=[], created=0).encode()
    assert keys.link_message(NEW) != envelope.to_be_signed(NEW, envelope.AAD_KEYS)
    opened = envelope.open_envelope(envelope.seal(body, envelope.kid_of(NEW), envelope.AAD_KEYS, fake_sign(NEW)))
    assert raises(Refused, keys.proofs, ROOT, opened).reason == "bad-root"
    assert [step[0] for step in keys.proofs(NEW, opened)] == [NEW]


def test_a_list_that_stops_a_key_lets_the_fleet_go_on_after_a_cut():
    """Without the check of the running module's signer, a stopped key's module would go on: this shows that it is that check."""
    fleet = Fleet()
    bench = Bench(fleet)
    bench.feed("desired", TOPIC, fleet.push(1))
    bench.feed("tick", now=10000)
    bench.machine.saved.running[0].signer = bytes(8)  # the defence taken out: the board does not know who signed what runs
    renewed(fleet, bench, 2, revoked=[OLD_KID], stopped=[OLD_KID])
    assert bench.running is not None
