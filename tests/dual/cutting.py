"""The power-cut test: an update once for every flash operation and every way to cut it, rebooted, brought to its end.

Each case says what runs before (`prepare`), what is pushed then (`push`), and how it must end, cut or not.
"""

from bottle import BAD, TRAP, Bottle, Stuck, archive, guest, hexed, main_source, running
from cutflash import MODES, blocks
from update_bench import digest

SPARE = 8192 + 8192  # what the agent leaves free besides, and where notes are written before they are renamed
SIZE = 18000  # more than one request of 16 blocks: the download's map is written too


class ModuleUpdate:
    """Module 1 runs, module 2 is pushed and confirmed. `survey()` first: it tells which operations there are."""

    ending = ("confirmed", None)
    body = b"\x03\x40\x0c\x00\x0b"
    stays = ".spec"  # how files end that may be there in the end
    bottle = Bottle

    def __init__(self, size=SIZE):
        self.main = main_source()
        self.old = guest("old")
        self.new = guest("new", self.body, size)
        self.before = None
        self.operations = []

    def prepare(self, bottle):
        """Order what runs before."""
        bottle.order(1, self.old)

    def push(self, bottle):
        """Order the update."""
        bottle.order(2, self.new)

    def wrong(self, bottle):
        """What is not as it must be in the end, as text, or None."""
        wanted = self.new if self.ending[0] == "confirmed" else self.old
        kept = [data for data in bottle.flash.below("/state/").values() if data in (self.old, self.new)]
        return None if kept == [wanted] else "modules on flash: %d" % len(kept)

    def _bottle(self):
        bottle = self.bottle(self.main)
        if self.before:
            bottle.flash.files = dict(self.before[0])
            bottle.flash.folders = set(self.before[1])
            bottle.signed.append(digest(self.old))
        return bottle

    def survey(self):
        """The names of the flash operations of an update that nothing disturbs."""
        bottle = self._bottle()
        self.prepare(bottle)
        bottle.run(settled(1))
        bottle.flash.files.pop("/state/crashes", None)  # as once it has run for a minute: else two cuts more are a crash loop, and no guest starts
        self.before = bottle.flash.files, bottle.flash.folders
        bottle = self._bottle()
        self.push(bottle)
        bottle.run(settled(2, self.ending))
        assert self._verdict(bottle) is None, self._verdict(bottle)
        self.operations = bottle.flash.log
        return self.operations

    def attempt(self, *cuts):
        """Update with the power cut as `cuts` say, each (operation, mode) counted from the boot before it; None, or what went wrong."""
        bottle = self._bottle()
        self.push(bottle)
        goal = settled(2, self.ending)
        try:
            for cut in cuts:
                bottle.flash.log = []
                bottle.flash.cut = cut
                if bottle.run(goal):
                    return self._verdict(bottle)  # came to its end before this cut
            bottle.hub.up = False
            bottle.run(alone_first(bottle.hub, goal))
        except Stuck as stuck:
            return str(stuck)
        return self._verdict(bottle)

    def _verdict(self, bottle):
        if bottle.unsigned:
            return "started what nobody signed: %s" % bottle.unsigned
        left = [path for path in bottle.flash.below("/state/") if path.count(".") and not path.endswith(self.stays)]
        return "left on flash: %s" % left if left else self.wrong(bottle)


class BadModule(ModuleUpdate):
    """The module that is pushed traps: the one before must come back."""

    ending = ("rolled-back", "trap")
    body = TRAP


class AgentUpdate(ModuleUpdate):
    """The agent of before came by cable; a new one is pushed, with a new module beside it, and confirmed."""

    first = archive(b"old" * 700)
    second = archive(b"new" * 16000)  # more than one request of 16 blocks

    def prepare(self, bottle):
        bottle.flash.folders.add("/state")
        bottle.flash.files[self._place(self.first)] = self.first
        bottle.flash.files["/state/agent"] = hexed(digest(self.first)).encode()
        bottle.agents.append(self.first)
        super().prepare(bottle)

    def push(self, bottle):
        bottle.agents.append(self.first)
        bottle.flash.capacity = bottle.flash.used() + blocks(self.second) + blocks(self.new) + SPARE
        bottle.order_agent(2, self.second, [bottle.component(2, self.new)])

    def _place(self, agent):
        return "/state/" + hexed(digest(agent))[:32]

    def wrong(self, bottle):
        wanted = self.second if self.ending[0] == "confirmed" else self.first
        pointer = bottle.flash.files.get("/state/agent")
        if pointer != hexed(digest(wanted)).encode() or bottle.home() != self._place(wanted):
            return "%s runs, the pointer says %s" % (bottle.home(), pointer)
        kept = [data for data in bottle.flash.below("/state/").values() if data[:4] == wanted[:4]]
        return super().wrong(bottle) if kept == [wanted] else "agents on flash: %d" % len(kept)


class BadAgent(AgentUpdate):
    """The new agent dies whenever it starts: the one of before must come back, and with it the module before."""

    ending = ("rolled-back", "trap")
    second = archive(BAD * 2000)


CASES = {"module": ModuleUpdate, "bad module": BadModule, "agent": AgentUpdate, "bad agent": BadAgent}


def settled(seq, ending=("confirmed", None)):
    """Goal: the update `seq` has come to its end, guests run, nothing is under way."""

    def ended(agent):
        view = agent.updater.view
        done = view.seq == seq and view.state == ending[0] and agent.updater.install is None
        return done and ending[1] in [None] + [row[3] for row in view.components] and running(agent)

    return ended


def alone_first(hub, goal):
    """Goal: a guest runs without the fleet's help; then the fleet is there, and `goal`."""

    def both(agent):
        if not hub.up:
            hub.up = running(agent)
        return hub.up and goal(agent)

    return both


def points(case, every=1, first=0):
    """The cut points (operation, mode) of a surveyed case, each `every`-th."""
    found = [(number, mode) for number in range(len(case.operations)) for mode in MODES]
    return found[first::every]


def cut_all(case, wanted):
    """Cut at each of the points `wanted`; [(point, what went wrong)]."""
    failures = []
    for point in wanted:
        trouble = case.attempt(point)
        if trouble:
            failures.append((point, trouble))
    return failures
