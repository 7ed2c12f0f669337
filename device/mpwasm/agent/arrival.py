"""What comes on `desired`, and what is there in place of an `Install` until all that it needs is loaded: some of the files a turn,
since together they take an RP2040 0.4 s.

Imported when there is something to decide, and dropped once there is the `Install`.
"""

from mpwasm.agent import phase
from mpwasm.errors import Refused

_WIRE = "saved staging update"  # what the next needs comes before it
_AGENT = "store room tasks install"


def heard(owner, message, loaded):
    """A message on `desired` for the `updater.Updater` `owner`, `loaded` as of `phase.begin`; one that this board's key doesn't vouch for costs an
    HMAC and nothing more."""
    from mpwasm.wire.mac import decode, open_mac

    topic = owner.identity[21] + "desired"
    try:
        order = decode(open_mac(owner.key, topic, message))
        if not (isinstance(order, list) and order and isinstance(order[0], int)):
            raise Refused("cbor", "array")
    except Refused as refusal:
        owner.refused(refusal.reason, refusal.detail)
        phase.end(loaded, "mpwasm.wire.")
    else:
        owner.order = order[0]
        owner.note = ""
        owner.wake(loaded=loaded)
        owner.install.events.append(("desired", topic, message))  # taken from the loop: there is more call stack left
    phase.drop("mpwasm.agent.arrival")


class Arrival:
    """Has an `Install` made for the `updater.Updater` `owner`; `first` and `safe` are for its `begin`, `events` what it is to be told then."""

    pending = ()

    def __init__(self, owner, first, safe):
        self.owner = owner
        self.first = first
        self.safe = safe
        self.events = []
        self.files = self._files()

    def _files(self):
        yield True  # the order has had this turn
        for name in _WIRE.split():
            yield __import__("mpwasm.wire." + name)
        for name in _AGENT.split():
            yield __import__("mpwasm.agent." + name)
        if not self.first:
            yield __import__("mpwasm.wire.desired")

    def step(self, now):
        """Load the next; behind the last one make the `Install`."""
        if not next(self.files, None):
            self.whole()
        return now

    def whole(self):
        """Do all that is left at once: at the boot, when nothing runs yet."""
        for _ in self.files:
            pass
        from mpwasm.agent.install import Install

        phase.drop("mpwasm.agent.arrival")
        owner = self.owner
        owner.install = install = Install(owner, owner.agent.root)
        install.begin(self.first, self.safe)
        install.events += self.events

    def feed(self, event):
        """A guest has failed; `begin` sees that by itself, but the first time."""
        if self.first:
            self.events.append(event)

    def on_blk(self, _payload):
        """Nothing was asked for yet."""

    def bears(self, _error):
        """Nothing is under way yet that could go on."""
