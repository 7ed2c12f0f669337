"""Guests that compute for ever: ended as exhausted unless they wait now and then; side by side, each gets its share of the processor."""

from wasmbuild import load, module

from mpwasm.agent.guest import FAILED, RUNNING, Guest
from mpwasm.agent.launch import link
from mpwasm.wasi.hardware import Board

STEPS_PER_MS = 20
SPIN = b"\x03\x40\x0c\x00\x0b"
YIELD = b"\x03\x40\x10\x00\x1a\x0c\x00\x0b"
IMPORT = [("wasi_snapshot_preview1", "sched_yield", 0, b"\x01")]


class Clock(Board):
    """Hardware whose time goes by as guests compute."""

    now = 0.0

    def uptime_ms(self):
        """Milliseconds, rounded down as on a board."""
        return int(self.now)


class Log:
    """Keeps the lines."""

    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)

    def line(self, _level, data):
        self.lines.append(data)


def plain(guest, data, spec):
    """Put the module `data` into the slot for the plain executor."""
    link(guest, load(data), spec)


def guest_of(clock, body, share=1, busy_ms=500, start=plain):
    """A guest on a board of `clock`; `done` is how many steps it was given."""
    made = Guest(clock, Log())
    data = module(types=[(b"", b""), (b"", b"\x7f")], imports=IMPORT, funcs=[(0, b"", body)], exports={"_start": (0, 1)})
    start(made, data, [bytes(32), "spin", "1", 4096, 1 << 20, [], "_start", None, share, 0, busy_ms])
    made.done = 0
    real = made.inst.run

    def run(steps):
        end = real(steps)
        made.done += steps
        clock.now += steps / STEPS_PER_MS
        return end

    made.inst.run = run
    return made


def turns(clock, guests, ms):
    """What the supervisor does, for so long."""
    end = clock.now + ms
    while clock.now < end:
        now = clock.uptime_ms()
        clock.now += 0.1
        for each in guests:
            each.step(now)


def check_runaway(start=plain):
    """What spins is ended with place and time, what yields is not, nor what may."""
    clock = Clock()
    spin, idle = guest_of(clock, SPIN, start=start), guest_of(clock, YIELD, start=start)
    turns(clock, [spin], 450)
    assert spin.state == RUNNING
    turns(clock, [spin], 200)
    assert spin.state == FAILED and spin.reason == "exhausted", spin.reason
    assert spin.detail.startswith("code 122 5") and " ms without a wait in 1+" in spin.detail, spin.detail
    assert "guest failed: exhausted " + spin.detail in spin.log.lines
    turns(clock, [idle], 5000)
    assert idle.state == RUNNING
    free = guest_of(clock, SPIN, busy_ms=0, start=start)
    turns(clock, [free], 5000)
    assert free.state == RUNNING


def check_shares(start=plain):
    """Two or three that spin get steps in proportion to their shares."""
    for shares in ((1, 4), (8, 2), (1, 2, 3)):
        clock = Clock()
        guests = [guest_of(clock, SPIN, share, 0, start) for share in shares]
        turns(clock, guests, 3000)
        for share, each in zip(shares, guests):
            part = each.done / clock.now / STEPS_PER_MS * sum(shares) / share
            assert 0.8 < part < 1.25, (shares, share, part)


def test_a_runaway_is_stopped_and_named():
    check_runaway()


def test_each_guest_gets_its_share():
    check_shares()
