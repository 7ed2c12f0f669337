"""Ways in which broker and fleet misbehave, each a function that bends the `shortwire.Hub` of a bottle; one row of `WAYS` says how an update ends."""


class Dice:
    """The same throws in every run, on both Pythons."""

    def __init__(self, seed):
        self.state = seed

    def throw(self, sides):
        """0 .. sides - 1."""
        self.state = (self.state * 1103515 + 12345) % 1000003
        return self.state * sides // 1000003


def on_blocks(hub, change):
    """Let `change(payload)` give what comes instead of each block."""
    hub.filter = lambda name, payload: change(payload) if name == "blk" else [payload]


def drops(bottle, dice):
    """A third of the blocks."""
    on_blocks(bottle.hub, lambda payload: [payload] if dice.throw(3) else [])


def repeats(bottle, dice):
    """Every block, up to three times."""
    on_blocks(bottle.hub, lambda payload: [payload] * (1 + dice.throw(3)))


def delays(bottle, dice):
    """Every block, by up to nine seconds: long after it was asked for again."""
    hub = bottle.hub

    def later(payload):
        hub.later.append((bottle.now + dice.throw(9000), payload))
        return []

    on_blocks(hub, later)


def reorders(bottle, dice):
    """Each block waits for a later one."""
    held = []

    def change(payload):
        held.append(payload)
        return [held.pop(dice.throw(len(held)))] if len(held) > 3 or dice.throw(2) else []

    on_blocks(bottle.hub, change)


def corrupts_once(bottle, dice):
    """One byte of one long block."""
    done = []

    def change(payload):
        if len(payload) > 1000 and not done:
            done.append(1)
            return [payload[:-1] + bytes((payload[-1] ^ 1,))]
        return [payload]

    on_blocks(bottle.hub, change)


def corrupts(bottle, dice):
    """One byte of every long block."""
    on_blocks(bottle.hub, lambda payload: [payload[:-1] + bytes((payload[-1] ^ 1,))] if len(payload) > 1000 else [payload])


def cuts_short(bottle, dice):
    """The last byte of every block is missing."""
    on_blocks(bottle.hub, lambda payload: [payload[:-1]])


def lies(bottle, dice):
    """Other bytes under the digest of every module that is asked for from now on."""
    blobs = bottle.fleet.blobs
    for digest in blobs:
        if len(blobs[digest]) > 10000:
            blobs[digest] = bytes(len(blobs[digest]))


def floods(bottle, dice):
    """Between blocks, blocks that nobody asked for: of other blobs, off their places, behind the end, and garbage."""

    def change(payload):
        junk = [bytes(8) + payload[8:], payload + payload, b"", b"\xff" * 50, payload[:3]]
        return [junk[dice.throw(5)], payload, junk[dice.throw(5)]]

    on_blocks(bottle.hub, change)


def replays(bottle, dice):
    """Old orders, again and again, between the blocks."""
    hub, old = bottle.hub, bottle.first_order

    def change(payload):
        hub.deliver("desired", old)
        return [payload]

    on_blocks(hub, change)


def goes_down(bottle, dice):
    """For five minutes, in the middle of the payload; the goal's own calls bring it back."""
    hub = bottle.hub
    seen = []

    def change(payload):
        seen.append(1)
        if len(seen) == 12:
            hub.up = False
            bottle.back_at = bottle.now + 300000
        return [payload]

    on_blocks(hub, change)


def falls_silent(bottle, dice):
    """From now on, for ten minutes."""
    bottle.hub.serving = False
    bottle.back_at = bottle.now + 600000


def everything(bottle, dice):
    """Drops, repeats, delays and junk at once."""
    hub = bottle.hub

    def change(payload):
        luck = dice.throw(10)
        if luck < 2:
            return []
        if luck < 4:
            hub.later.append((bottle.now + dice.throw(5000), payload))
            return []
        return [payload, payload[:-1]] if luck < 6 else [payload] * (1 + luck % 2)

    on_blocks(hub, change)


FINE = ("confirmed", None)
WAYS = (
    (drops, FINE),
    (repeats, FINE),
    (delays, FINE),
    (reorders, FINE),
    (corrupts_once, FINE),
    (corrupts, ("rejected", "digest")),
    (cuts_short, ("failed", "timeout")),
    (lies, ("rejected", "digest")),
    (floods, FINE),
    (replays, FINE),
    (goes_down, FINE),
    (falls_silent, FINE),
    (everything, FINE),
)
