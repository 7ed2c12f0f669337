"""The power-cut test: an update once for every flash operation and every way to cut it, rebooted, brought to its end."""

from bottle import Bottle, Stuck, guest, main_source, running
from cutflash import MODES
from update_bench import digest

SIZE = 18000  # more than one request of 16 blocks: the download's map is written too


class ModuleUpdate:
    """Module 1 runs, module 2 is pushed. `survey()` first: it tells which operations there are."""

    def __init__(self, size=SIZE):
        self.main = main_source()
        self.old = guest("old")
        self.new = guest("new", size=size)
        self.before = None
        self.operations = []

    def _bottle(self):
        bottle = Bottle(self.main)
        if self.before:
            bottle.flash.files = dict(self.before[0])
            bottle.flash.folders = set(self.before[1])
            bottle.signed.append(digest(self.old))
        return bottle

    def survey(self):
        """The names of the flash operations of an update that nothing disturbs."""
        bottle = self._bottle()
        bottle.order(1, self.old)
        bottle.run(settled(1))
        self.before = bottle.flash.files, bottle.flash.folders
        bottle = self._bottle()
        bottle.order(2, self.new)
        bottle.run(settled(2))
        self.operations = bottle.flash.log
        return self.operations

    def attempt(self, *cuts):
        """Update with the power cut as `cuts` say, each (operation, mode) counted from the boot before it; None, or what went wrong."""
        bottle = self._bottle()
        bottle.order(2, self.new)
        try:
            for cut in cuts:
                bottle.flash.log = []
                bottle.flash.cut = cut
                if bottle.run(settled(2)):
                    return self._verdict(bottle)  # came to its end before this cut
            bottle.hub.up = False
            bottle.run(alone_first(bottle.hub, settled(2)))
        except Stuck as stuck:
            return str(stuck)
        return self._verdict(bottle)

    def _verdict(self, bottle):
        if bottle.unsigned:
            return "started what nobody signed: %s" % bottle.unsigned
        left = [path for path in bottle.flash.files if path.startswith("/state/") and path.count(".") and not path.endswith(".spec")]
        return "left on flash: %s" % left if left else None


def settled(seq):
    """Goal: the update `seq` is confirmed, the guest runs, nothing is under way."""

    def confirmed(agent):
        view = agent.updater.view
        return view.seq == seq and view.state == "confirmed" and agent.updater.install is None and running(agent)

    return confirmed


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


def cut_all(case, wanted, tell=None):
    """Cut at each of the points `wanted`; [(point, what went wrong)]. `tell(done)` hears of progress."""
    failures = []
    for done, point in enumerate(wanted):
        trouble = case.attempt(point)
        if trouble:
            failures.append((point, trouble))
        if tell:
            tell(done)
    return failures
