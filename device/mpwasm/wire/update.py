"""The update machine of a board: what to do next, decided from events and the clock alone, for all components of a deployment document.

    idle ─desired─> check ─document─> manifest ─keys, manifest, config─> verify ─root, release─> preflight ─measured─> downloading
                                          ^ the next component                                                             │ stored
                                          └───────────────── staged <─hash right─ verify-file <────────────────────────────┘
                                                               │ all there
      confirmed <─ran confirm_s and online─ trial <────────────┘
      rolled-back <─failed, tries used up──┘ └─unfit to start─> rejected
      check .. staged ─refused─> rejected;   ─not fetched, job too long─> failed ─backoff─> check;   ─newer desired─> check

`Update.feed(event, now)` returns actions to carry out in order; `now` is in milliseconds of a clock that doesn't wrap. Answers that
no longer fit the state are ignored. docs/update-machine.md lists the events and the actions, and what the caller does for each.

The components of a document stand and fall together: modules, their configurations and the agent are fetched and verified one by one, go
on trial in one write of the journal, and are confirmed or rolled back as one. A trap, an exit code other than 0 and a used-up budget of
what is new roll back at once; only resets count tries. While there is a trial a newer `desired` waits for the verdict. A broker outage
alone rolls nothing back, but a new agent, which may be its cause: confirming waits until the board is online.

What only an update needs (documents, envelopes, keys, manifests) is imported where it is used, so that a board may drop it between updates.
"""

from mpwasm.errors import Refused
from mpwasm.wire import policy
from mpwasm.wire.cbor import decode
from mpwasm.wire.staging import Staging
from mpwasm.wire.trial import SETTLED, agent_of, cut, in_slot

_SLOTS = 16


class Update(Staging):
    """The machine. `board` is a `policy.Board`, `saved` a `saved.Saved` (a new one on a new board).

    To read: `state`, `reason`, `detail`, `progress`; `nonce` of the last authentic pointer; `online`; `wake`, the time of the next "tick" or None.
    """

    def __init__(self, board, saved):
        super().__init__(saved)
        self.board = board
        self.nonce = bytes(8)
        self._retries = 0
        self._until = 0
        self._forget()

    def _forget(self):
        """Drop all that belongs to the update under way."""
        self._pointer = self._document = self._keys = self._list = self._want = self._root = None
        self._proofs = []
        self._todo = []
        self._parts = []
        self._tries = 16
        self._confirm_s = 0
        self._forget_component()

    def _forget_component(self):
        self.manifest = self._wanted = self._envelope = self._blob = self._config = self._key = None
        self._again = False

    def _fetch(self, what, digest, size):
        self._want = what, digest, size
        self._do("fetch", what, digest, size)

    def _end(self, outcome, reason=None, detail=""):
        if self.state != "trial" and outcome != "confirmed":
            self._do("cancel")
        super()._end(outcome, reason, detail)
        self._forget()

    def _any_desired(self, topic, message):
        try:
            pointer = policy.check_pointer(self.board, topic, message, self.saved.seq)
        except Refused as refusal:
            self._do("refused", refusal.reason, cut(refusal.detail))
            return
        self.nonce = pointer.nonce
        if self.state != "trial":
            self._take(pointer)
            return
        if pointer.seq > self.saved.seq and (self._waiting is None or pointer.seq >= self._waiting.seq):
            self._waiting = pointer
        self._do("report")

    def _any_fetched(self, digest, blob):
        if self._want is None or self._want[1] != digest:
            return
        what, _, size = self._want
        try:
            policy.check_blob(digest, blob)
        except Refused:
            if self._again:
                raise
            self._again = True
            self._fetch(what, digest, size)
            return
        self._want = None
        self.GOT[what](self, blob)

    def _any_unfetched(self, digest):
        if self._want is not None and self._want[1] == digest:
            self._fail("timeout", self._want[0])

    # check: the pointer is authentic; get its document

    def _take(self, pointer):
        """Start on an authentic pointer, or see that there is nothing new in it."""
        saved = self.saved
        if pointer.seq == saved.seq and saved.outcome != "none":
            if pointer.document != saved.document:
                self._do("refused", "stale-seq", "two documents")
                return
            if saved.outcome != "open" or self.state != "idle":
                self._do("report")
                return
        elif self.state not in SETTLED:
            self._do("cancel")
        saved.seq = pointer.seq
        saved.outcome = "open"
        saved.reason = None
        saved.detail = ""
        saved.document = pointer.document
        saved.touched = 0
        self._save()
        self._retries = 0
        self._check(pointer)
        self.wake = self._now + self._spread(pointer.window_s * 1000)
        self._job(self.wake)
        self._check_tick()

    def _check(self, pointer):
        self._forget()
        self._pointer = pointer
        self.progress = 0
        self._enter("check")

    def _check_tick(self):
        if self._now >= self._until:
            self._fail("timeout", "check")
        elif self._want is None and self._now >= self.wake:
            self.wake = self._until
            self._fetch("document", self._pointer.document, self._pointer.size)

    def _failed_tick(self):
        if self._now >= self.wake:
            self._check(self._pointer)
            self.wake = self._now
            self._job(self._now)
            self._check_tick()

    def _got_document(self, blob):
        from mpwasm.wire.desired import Document

        document = Document.parse(blob)
        slots = [component.slot for component in document.components]
        agents = [component for component in document.components if component.kind == "agent"]
        if len(set(slots)) != len(slots) or max(slots or (0,)) >= _SLOTS or len(agents) > 1:
            raise Refused("abi", "components")
        self._document = document
        self._todo = list(document.components)
        self.saved.touched = self._touched(slots)
        self._enter("manifest")
        self._fetch("keys", document.keys, document.keys_size)

    def _touched(self, slots):
        """A bit for each slot that is to change."""
        touched = 0
        for component in self._todo:
            if self._have(component) is None:
                touched |= 1 << component.slot
        for part in self.saved.running:
            if part.slot not in slots and part.kind == "wasm":
                touched |= 1 << part.slot
        return touched

    # manifest: get key list, then manifest and config of the next component that isn't here

    def _have(self, wanted):
        """The part that runs and is what is `wanted`, or None."""
        part = in_slot(self.saved.running, wanted.slot)
        if part is None or (part.kind, part.manifest, part.config) != (wanted.kind, wanted.manifest, wanted.config):
            return None
        return part if wanted.kind == "wasm" or part.payload == self.agent else None

    def _got_keys(self, blob):
        from mpwasm.wire.envelope import open_envelope

        try:
            self._keys = open_envelope(blob)
        except Refused:
            raise Refused("bad-root", "envelope") from None
        self._next()

    def _next(self):
        """The next component; after the last one, the trial."""
        self._forget_component()
        while self._todo:
            wanted = self._todo.pop(0)
            part = self._have(wanted)
            if part is None:
                self._wanted = wanted
                if self.state != "manifest":
                    self.progress = 0
                    self._enter("manifest")
                self._fetch("manifest", wanted.manifest, wanted.manifest_size)
                return
            self._parts.append(part)
        if self._list is None:
            self._verify()
        else:
            self._complete()

    def _got_manifest(self, blob):
        from mpwasm.wire.envelope import open_envelope

        self._blob = blob
        self._envelope = open_envelope(blob)
        wanted = self._wanted
        if wanted.config is None:
            self._verify()
        else:
            self._fetch("config", wanted.config, wanted.config_size)

    def _got_config(self, blob):
        from mpwasm.wire.record import fits

        config = decode(blob)
        if not fits(config, "m", 0, 32):
            raise Refused("cbor", "config")
        self._config = config
        self._verify()

    # verify: root key -> key list -> release key -> manifest

    def _verify(self):
        from mpwasm.wire.keys import proofs

        self._enter("verify")
        if self._list is not None:
            self._release()
            return
        if self._document.keys != self.saved.keys:
            self._proofs = proofs(self.saved.root or self.board.root, self._keys)
        if self._proofs:
            self._do("verify", *self._proofs[0])
        else:
            self._then = self._root_verified

    def _verify_verified(self, valid):
        """The next signature on the way from the root to the key list, or the manifest's; behind the last of the former, the list counts."""
        if not valid:
            raise Refused("bad-root" if self._proofs else "bad-signature")
        if not self._proofs:
            self._release_verified()
            return
        self._root = self._proofs.pop(0)[0]
        if self._proofs:
            self._do("verify", *self._proofs[0])
        else:
            self._root_verified()

    def _root_verified(self):
        saved = self.saved
        keys = self._list = policy.check_keys(self._keys.body, self._document, saved)
        if keys.version > saved.keys_version:
            stopped = keys.adopt(saved, self._document.keys, self._root)
            self._save()
            for slot in stopped:
                self._do("stop", slot)
        self._check_stopped()
        if self._wanted is None:
            self._then = self._complete
        else:
            self._release()

    def _check_stopped(self):
        """`Refused` if a component that was to stay is one that the new key list stops."""
        for component in self._document.components:
            if component is not self._wanted and component not in self._todo and self._have(component) is None:
                raise Refused("revoked-key", "stopped")

    def _release(self):
        from mpwasm.wire.envelope import AAD_MANIFEST

        self._key = self._list.find(self._envelope.kid, self._wanted.kind, self.board.group)
        self._do("verify", self._key.public, self._envelope.signature, self._envelope.tbs(AAD_MANIFEST))

    def _release_verified(self):
        from mpwasm.wire.manifest import Manifest

        manifest = Manifest.parse(self._envelope.body)
        if (manifest.kind, manifest.slot) != (self._wanted.kind, self._wanted.slot):
            raise Refused("not-manifest", "kind or slot")
        policy.check_manifest(manifest, self._key, self.board, self.saved)
        self._measure(manifest)

    def _complete(self):
        """All components are here: those that are new go on trial, and where there is none, what is left out stops."""
        saved = self.saved
        parts = self._parts
        agent = agent_of(saved.running)
        if agent and not agent_of(parts):
            parts.append(agent)  # a document without an agent leaves the one there is
        if [part for part in parts if part not in saved.running]:
            saved.trial = parts
            saved.tries = self._tries
            saved.confirm_s = self._confirm_s
            self._forget()
            self._start_trial()
            return
        before, saved.running = saved.running, parts
        self._end("confirmed")
        if len(before) != len(parts):
            self._stop_but(parts, before)
            self._do(*self._keep())

    GOT = {"document": _got_document, "keys": _got_keys, "manifest": _got_manifest, "config": _got_config}

    HANDLERS = dict(Staging.HANDLERS)
    HANDLERS.update(
        {
            "desired": _any_desired,
            "fetched": _any_fetched,
            "unfetched": _any_unfetched,
            ("check", "tick"): _check_tick,
            ("verify", "verified"): _verify_verified,
            ("failed", "tick"): _failed_tick,
        }
    )
