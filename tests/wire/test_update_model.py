"""The update machine under events in any order: it never raises, forgets nothing it saved, and starts nothing that wasn't verified."""

from hypothesis import given, settings
from hypothesis import strategies as st
from update_bench import PAYLOAD, STRANGER, TOPIC, Bench, Fleet, digest

from mpwasm.wire.saved import Saved

ANSWERS = {"fetch": "fetched", "verify": "verified", "measure": "measured", "download": "stored", "hash": "hashed", "stage": "staged"}


class Watched(Bench):
    """A bench whose answers come when the test says so, and which checks each action against what must hold."""

    def __init__(self, fleet):
        self.pending = []
        self.verified = set()
        self.seqs = [0]
        super().__init__(fleet)

    def boot(self):
        self.pending = []
        super().boot()

    def act(self, name, *rest):
        answer = super().act(name, *rest)
        if name == "cancel":
            self.pending = []
        elif name in ANSWERS and answer:
            self.pending.append(answer)
        return None

    def do_save(self, data):
        saved = Saved.parse(data)
        assert saved.seq >= self.seqs[-1]
        self.seqs.append(saved.seq)
        self.journal = data

    def do_verify(self, key, signature, message):
        answer = super().do_verify(key, signature, message)
        if answer[1]:
            self.verified.add(key)
        return answer

    def do_stage(self, part, blob, manifest, config):
        assert b"P" * 32 in self.verified and manifest.digest == digest(self.payload)
        return super().do_stage(part, blob, manifest, config)

    def do_start(self, slot, key, trial):
        saved = Saved.parse(self.journal)
        assert key in [part.key() for part in (saved.trial if trial else saved.running)], "started before it was saved"
        super().do_start(slot, key, trial)

    def do_keep(self, keys, digests=()):
        running = sorted(part.key() for part in Saved.parse(self.journal).running)
        assert running == sorted(keys) or (digests and set(running) < set(keys)), "confirmed before it was saved"
        super().do_keep(keys, digests)


def messages(fleet):
    """Pointers good and bad, seq 1 to 4."""
    good = [fleet.push(seq, manifest=fleet.manifest(version=str(seq), counter=seq)) for seq in (1, 2, 3)]
    bad = [fleet.push(2, manifest=fleet.manifest(signer=STRANGER)), fleet.push(4, manifest=fleet.manifest(size=9)), fleet.push(3, key=b"X" * 32)]
    return good + bad + [fleet.push(4, empty=True), b"garbage"]


EVENTS = st.one_of(
    st.tuples(st.just("push"), st.integers(0, 7)),
    st.tuples(st.just("push"), st.integers(0, 2)),
    st.tuples(st.just("answers"), st.integers(1, 9)),
    st.tuples(st.just("answers"), st.integers(8, 12)),
    st.tuples(st.just("tick"), st.just(10000)),
    st.tuples(
        st.just("raw"),
        st.sampled_from([("verified", True), ("stored",), ("staged",), ("hashed", digest(PAYLOAD)), ("measured", 9, 9), ("unstored",)]),
    ),
    st.tuples(
        st.just("raw"),
        st.sampled_from([("failed", 0, "trap", "x"), ("online",), ("offline",), ("progress", 50), ("time", 3000), ("unfetched", bytes(32))]),
    ),
    st.tuples(st.just("tick"), st.integers(0, 100000)),
    st.tuples(st.just("reset"), st.none()),
    st.tuples(st.just("flip"), st.booleans()),
)


def happen(bench, pointers, kind, value, now):
    """One event of `EVENTS`."""
    if kind == "answers":
        while bench.pending and value:
            value -= 1
            bench.feed(*bench.pending.pop(0), now=now)
    elif kind == "push":
        bench.feed("desired", TOPIC, pointers[value], now=now)
    elif kind == "raw":
        bench.feed(*value, now=now)
    elif kind == "tick":
        bench.feed("tick", now=now)
    elif kind == "reset":
        bench.boot()
    else:
        bench.payload = b"flipped" if value else PAYLOAD


def play(events):
    """A bench after `events`; after each of them what runs is there, and a report can be made."""
    fleet = Fleet()
    pointers = messages(fleet)
    bench = Watched(fleet)
    now = 0
    for kind, value in events:
        now += value if kind == "tick" else 0
        happen(bench, pointers, kind, value, now)
        assert bench.running is None or bench.running in bench.slots
        assert bench.part().encode()
    return bench


CONFIRMED = [("push", 0), ("answers", 12), ("tick", 10000)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(([], CONFIRMED, [*CONFIRMED, ("push", 1), ("answers", 12)])), st.lists(EVENTS, max_size=30))
def test_any_order_of_events(start, events):
    play(start + events)


def test_the_model_gets_to_a_confirmed_module():
    """The events above lead all the way, and on to another one."""
    bench = play([*CONFIRMED, ("push", 1), ("answers", 12), ("reset", None), ("tick", 20000)])
    assert bench.outcome() == ("confirmed", None) and bench.saved()[0][1] == "2"
