"""An update under way: the machine of `wire.update`, the task it waits for, and its actions, a row of a table each.

Imported when there is something to decide and dropped when that is settled; what must last is the machine's journal on flash.
"""

from mpwasm.agent import guest as guests
from mpwasm.agent import phase, renew, room, tasks
from mpwasm.agent.starts import Starts
from mpwasm.agent.store import Store
from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.policy import Board
from mpwasm.wire.saved import Saved
from mpwasm.wire.update import Update

_MAX_MODULE_BYTES = const(262144)
_SETTLED = ("idle", "confirmed", "rolled-back", "rejected")


class Install(Starts):
    """The machine at work for the `updater.Updater` `owner`, whose guests, line, log and view it uses."""

    def __init__(self, owner, root):
        i = owner.identity
        self.owner = owner
        self.link = owner.link
        self.log = owner.log
        self.board = owner.board
        self.store = Store(root, i[2])
        self.agents = renew.Agents(self.store)
        self.machine = Update(Board(i[1], i[4], i[3], owner.key, i[7]), self._saved())
        self.machine.nonce = owner.view.nonce
        self.blocks = tasks.Blocks(self.link, self.store)
        self.task = self.starting = self.spec = self.payload = None
        self.due = 0
        self.pending, self.events = [], []

    def _saved(self):
        """The journal; a new one if there is none, or one of another format: what an agent falls back from may have written it."""
        journal = self.store.journal()
        try:
            return Saved.parse(journal) if journal else Saved()
        except Refused as refusal:
            self.log.note("journal: %s %s" % (refusal.reason, refusal.detail))
            return Saved()

    def begin(self, first, safe):
        """Tell a new machine what it would know: with `first` the board has just started, with `safe` nothing shall be started."""
        life, safe = self.owner.life, safe and not self.owner.life  # what a restart was made for is started
        self.feed(("boot",) + self.agents.facts(), ("start",) if safe or life == room.UPDATE else () if first else ("start", "report"))
        if safe and self.machine.state == "trial":
            self.feed(("failed", 0, "trap", "the agent died"), ("start",))
        if self.owner.early is not None:
            self.owner.stop(self.owner.early)
            self.owner.early = None
        if not first:
            for slot, guest in self.owner.guests.items():
                if guest.state == guests.FAILED:
                    self.feed(("failed", slot, guest.reason, guest.detail))

    def feed(self, event, without=()):
        """Give the machine an event and do what it says, leaving out the actions named in `without`."""
        actions = self.machine.feed(event, self.board.uptime_ms())
        self.owner.view.take(self.machine)
        for action in actions:
            if action[0] not in without:
                self._DO[action[0]](self, *action[1:])

    def step(self, now):
        """One slice of the work; return the uptime at which the next is due, None when all is settled."""
        if self.pending:
            return now
        if self.machine.online != self.link.ready:
            self.feed(("online",) if self.link.ready else ("offline",))
            room.starved(self.owner)
            return now
        if self.events:
            self.feed(self.events.pop(0))
            return now
        if self.task and now >= self.due:
            self._advance()
            return now  # what comes of it takes a turn of its own
        if self.owner.life == room.MAKE:
            self._again("all is made", room.START)
        if self.owner.life == room.START:
            self.owner.life = ""
        if self.owner.pin is None:
            self.owner.pin = room.settle()
            room.give(self.owner)
        wake = self.machine.wake
        if wake is not None and now >= wake:
            self.feed(("tick",))
            return now
        if self.task:
            return self.due if wake is None else min(self.due, wake)
        if wake is None and self.machine.state not in _SETTLED:
            return now + 1000
        return wake

    def _advance(self):
        try:
            self.due = next(self.task)
        except StopIteration:
            self.task = None
        except OSError as error:
            self._flash_failed(error)

    def _flash_failed(self, error):
        self.log.note("flash: %r" % error)
        self.cancel()
        self.events.append(("unstored",))

    def on_blk(self, payload):
        """A message on `blk`: a block, or something to be ignored."""
        try:
            if self.blocks.accept(payload, self.board.uptime_ms()):
                self.due = 0
        except OSError as error:
            self._flash_failed(error)

    def bears(self, error):
        """Whether the work goes on after an error that nothing foresaw: a start that lacks memory does, with less; else the task is dropped."""
        if not self.spec or not isinstance(error, MemoryError):
            return self.cancel()
        if self.starting:
            self.start(self.board.uptime_ms(), error)
        return True

    def cancel(self):
        """Drop the task and its download."""
        self.task = None
        self.blocks.drop()
        room.give(self.owner)

    # -- the machine's actions

    def _run(self, task):
        self.cancel()
        self.task = task
        self.due = 0

    def _do_fetch(self, what, digest, size):
        self._run(self._fetch(digest, size))

    def _fetch(self, digest, size):
        blob = yield from self.blocks.blob(digest, size, self.board.uptime_ms)
        self.events.append(("unfetched", digest) if blob is None else ("fetched", digest, blob))

    def _do_verify(self, key, signature, message):
        self._run(self._verify(key, signature, message))
        room.take(self.owner)

    def _verify(self, key, signature, message):
        loaded = phase.begin()
        right = yield from tasks.verify(key, signature, message)
        phase.end(loaded, "mpwasm.wire.")
        self.events.append(("verified", right))

    def _do_measure(self, kind):
        self._run(self._measure(kind))

    def _measure(self, kind):
        flash, heap = yield from tasks.measure(self.store)
        flash += self.store.part_bytes(self.machine.manifest.digest)
        if kind != "agent":
            flash = min(flash, _MAX_MODULE_BYTES)
        self.events.append(("measured", max(flash, 0), max(heap, 0)))

    def _do_download(self, digest, size):
        self.payload = digest
        self._run(self._download(digest, size))

    def _download(self, digest, size):
        done = yield from self.blocks.payload(digest, size, self.board.uptime_ms, self._progress)
        self.events.append(("stored",) if done else ("unstored",))

    def _progress(self, percent):
        self.events.append(("progress", percent))

    def _do_hash(self):
        self.events.append(("hashed", self.store.hash_payload(self.payload) or b""))

    def _do_stage(self, part, blob, manifest, config):
        self.store.accept_part(manifest.digest)
        if part.kind != "agent":
            self._run(self._specify(part.key(), manifest, config))
            return
        try:
            self.agents.check(manifest.digest)
        except Refused as refusal:
            self.store.remove_file(self.store.path(manifest.digest))
            self.events.append(("unfit", refusal.reason, refusal.detail))
        else:
            self.events.append(("staged",))

    def _specify(self, key, manifest, config):
        from mpwasm.agent.launch import spec_of  # 4 KB, which verifying may lack

        yield 0  # loading that was enough for a turn
        self.store.save_spec(key, spec_of(manifest, config))
        done = True
        if manifest.native and manifest.images:
            from mpwasm.agent import ahead

            done = yield from ahead.bring(manifest, self.store, self.blocks, self.board.uptime_ms, self._progress)
            phase.drop("mpwasm.agent.ahead")
        self.events.append(("staged",) if done else ("unstored",))

    def _do_switch(self, digest, tries):
        if self.agents.switch(digest, tries):
            self.owner.reset("the new agent")
        self.events.append(("failed", 0, "digest", "agent on flash"))

    def _do_settle(self):
        self.agents.settle()

    def _do_revert(self):
        self.agents.revert()
        self.owner.reset("the agent before")

    def _do_restart(self):
        self.owner.reset("another try")

    def _do_start(self, slot, key, trial):
        """Start what is staged under `key`: `start` does it, called from the loop, since the loader needs most of the call stack."""
        self._not_pending(slot)
        guest = self.owner.guests.get(slot)
        if self.owner.running.get(slot) != key or (guest and guest.state == guests.FAILED):
            self.pending.append((slot, key))
        else:  # it is there already, or the new module was unfit before the old one had to stop
            self.owner.early = None

    def _keep(self, keys, digests=()):
        """Remove from flash all but what these keys stand for, the contents `digests`, and the agents."""
        self.store.sweep(keys, self.agents.digests() + list(digests))

    def _do_stop(self, slot):
        self._not_pending(slot)
        self.owner.stop(slot)

    _DO = {
        "save": lambda self, data: self.store.save(data),
        "report": lambda self: self.owner.changed(),
        "refused": lambda self, reason, detail: self.owner.refused(reason, detail),
        "cancel": cancel,
        "fetch": _do_fetch,
        "verify": _do_verify,
        "measure": _do_measure,
        "download": _do_download,
        "hash": _do_hash,
        "discard": lambda self: self.store.discard_part(self.payload),
        "stage": _do_stage,
        "start": _do_start,
        "stop": _do_stop,
        "keep": _keep,
        "switch": _do_switch,
        "settle": _do_settle,
        "revert": _do_revert,
        "restart": _do_restart,
    }
