"""Under each way to misbehave an update ends well, or with a reason that has a name and the old module running."""

from badfleet import WAYS, Dice
from bottle import Bottle, guest, main_source
from cutting import SIZE, settled

PATIENCE = 6000


def ends(way, ending, seed=1):
    """Push a module while the fleet misbehaves in a `way`."""
    bottle = Bottle(main_source())
    bottle.back_at = None
    bottle.step_ms = 1000  # outages and time-outs of minutes
    bottle.order(1, guest("old"))
    assert bottle.run(settled(1))
    bottle.first_order = bottle.hub.desired
    old = list(bottle.signed)
    new = guest("new", size=SIZE)
    bottle.order(2, new)
    way(bottle, Dice(seed))
    goal = settled(2, ending)

    def ended(agent):
        if bottle.back_at and bottle.now > bottle.back_at:
            bottle.hub.up = bottle.hub.serving = True
        if ending[0] == "failed":  # it will be tried again, so it is never settled
            view = agent.updater.view
            return view.state == "failed" and view.components[0][3] == ending[1] and agent.guests[0].state == 1
        return goal(agent)

    assert bottle.run(ended, PATIENCE), way.__name__
    assert not bottle.unsigned
    flash = list(bottle.flash.files.values())
    assert (new in flash) == (ending[0] == "confirmed"), way.__name__
    assert ending[0] == "confirmed" or len(old) == 1


def test_every_way_to_misbehave():
    for way, ending in WAYS:
        ends(way, ending)


def test_a_mixture_with_other_throws():
    for seed in (7, 99):
        ends(*WAYS[-1], seed)
