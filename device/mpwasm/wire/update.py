"""The update machine of a board: what to do next, decided from events and the clock alone, for one wasm component.

    idle ─desired─> check ─document─> manifest ─keys, manifest, config─> verify ─root, release─> preflight ─measured─> downloading
                                                                                                                           │ stored
      confirmed <─ran confirm_s and online─ trial <─staged─ staged <─hash right─ verify-file <─────────────────────────────┘
      rolled-back <─failed, tries used up──┘      └─module unfit to start─> rejected
      check .. verify-file ─refused─> rejected;   ─not fetched─> failed ─backoff─> check;   ─newer desired─> check

`Update.feed(event, now)` returns actions to carry out in order; `now` is in milliseconds of a clock that doesn't wrap. Answers that
no longer fit the state are ignored.

docs/update-machine.md lists the events and the actions, and what the caller does for each.

A trap, an exit code other than 0 and a used-up budget roll back at once; only resets count tries. While a module is on trial a newer
`desired` waits for the verdict. A broker outage alone rolls nothing back: confirming waits until the board is online.

What only an update needs (documents, envelopes, keys, manifests) is imported where it is used, so that a board may drop it between updates.
"""

from hashlib import sha256

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire import policy
from mpwasm.wire.cbor import decode
from mpwasm.wire.trial import SETTLED, Trial, cut

_FIRST_RETRY_MS = const(10000)
_LAST_RETRY_MS = const(3600000)
_REPORT_STEP = const(10)


class Update(Trial):
    """The machine. `board` is a `policy.Board`, `saved` a `saved.Saved` (a new one on a new board).

    To read: `state`, `reason`, `detail`, `progress`; `nonce` of the last authentic pointer; `online`; `wake`, the time of the next "tick" or None.
    """

    def __init__(self, board, saved):
        super().__init__(saved)
        self.board = board
        self.nonce = bytes(8)
        self._next = None
        self._retries = 0
        self._forget()

    def _forget(self):
        """Drop all that belongs to the update under way."""
        self.manifest = None
        self._pointer = self._document = self._keys = self._envelope = self._blob = self._config = None
        self._want = self._key = self._root = None
        self._proofs = []
        self._again = False

    def _spread(self, span_ms):
        """This board's share of a time span: another one for each seq and retry, the same if asked again."""
        seed = "%s %d %d" % (self.board.device, self.saved.seq, self._retries)
        return span_ms * sha256(seed.encode()).digest()[0] // 256

    def _fetch(self, what, digest, size):
        self._want = what, digest, size
        self._do("fetch", what, digest, size)

    def _end(self, outcome, reason=None, detail="", then=()):
        """Settle this seq, then take up the pointer that has waited."""
        if self.state != "trial" and outcome != "confirmed":
            self._do("cancel")
        super()._end(outcome, reason, detail, then)
        self._forget()
        waiting, self._next = self._next, None
        if waiting is not None:
            self._take(waiting)

    def _any_desired(self, topic, message):
        try:
            pointer = policy.check_pointer(self.board, topic, message, self.saved.seq)
        except Refused as refusal:
            self._do("refused", refusal.reason, cut(refusal.detail))
            return
        self.nonce = pointer.nonce
        if self.state != "staged" and self.state != "trial":
            self._take(pointer)
            return
        if pointer.seq > self.saved.seq and (self._next is None or pointer.seq >= self._next.seq):
            self._next = pointer
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

    def _any_online(self):
        if self.state == "failed":
            self._retries = 0
            self.wake = min(self.wake, self._now + self._spread(_FIRST_RETRY_MS))
        super()._any_online()

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
        self._save()
        self._retries = 0
        self._check(pointer)
        self.wake = self._now + self._spread(pointer.window_s * 1000)
        self._check_tick()

    def _check(self, pointer):
        self._forget()
        self._pointer = pointer
        self.progress = 0
        self._enter("check")

    def _check_tick(self):
        if self.wake is not None and self._now >= self.wake:
            self.wake = None
            self._fetch("document", self._pointer.document, self._pointer.size)

    def _got_document(self, blob):
        from mpwasm.wire.desired import Document

        document = Document.parse(blob)
        if len(document.components) > 1 or (document.components and document.components[0].kind != "wasm"):
            raise Refused("abi", "components")
        self._document = document
        self._enter("manifest")
        self._fetch("keys", document.keys, document.keys_size)

    # manifest: get key list, manifest and config

    def _wanted(self):
        """The component to run, or None if nothing shall run."""
        return self._document.components[0] if self._document.components else None

    def _is_running(self, wanted):
        return wanted is not None and wanted.manifest == self.saved.running and wanted.config == self.saved.config

    def _got_keys(self, blob):
        from mpwasm.wire.envelope import open_envelope

        try:
            self._keys = open_envelope(blob)
        except Refused:
            raise Refused("bad-root", "envelope") from None
        wanted = self._wanted()
        if wanted is None or self._is_running(wanted):
            self._verify()
        else:
            self._fetch("manifest", wanted.manifest, wanted.manifest_size)

    def _got_manifest(self, blob):
        from mpwasm.wire.envelope import open_envelope

        self._blob = blob
        self._envelope = open_envelope(blob)
        wanted = self._wanted()
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
        if self._document.keys != self.saved.keys:
            self._proofs = proofs(self.saved.root or self.board.root, self._keys)
        self._prove()

    def _prove(self):
        """Have the next signature on the way from the root to the key list verified; behind the last, the list counts."""
        if self._proofs:
            self._do("verify", *self._proofs[0])
        else:
            self._root_verified()

    def _verify_verified(self, valid):
        if self._proofs:
            if not valid:
                raise Refused("bad-root")
            self._root = self._proofs.pop(0)[0]
            self._prove()
        else:
            if not valid:
                raise Refused("bad-signature")
            self._release_verified()

    def _root_verified(self):
        from mpwasm.wire.envelope import AAD_MANIFEST

        saved = self.saved
        keys = policy.check_keys(self._keys.body, self._document, saved)
        wanted = self._wanted()
        kept = self._is_running(wanted)
        if keys.version > saved.keys_version:
            stopped = keys.adopt(saved, self._document.keys, self._root)
            self._save()
            if stopped:
                self._do("stop")
        if wanted is None:
            self._clear()
        elif self._is_running(wanted):
            self._end("confirmed")
        elif kept:
            raise Refused("revoked-key", "stopped")
        else:
            self._key = keys.find(self._envelope.kid, wanted.kind, self.board.group)
            self._do("verify", self._key.public, self._envelope.signature, self._envelope.tbs(AAD_MANIFEST))

    def _release_verified(self):
        from mpwasm.wire.manifest import Manifest

        manifest = Manifest.parse(self._envelope.body)
        if manifest.kind != self._wanted().kind:
            raise Refused("not-manifest", "kind")
        policy.check_manifest(manifest, self._key, self.board, self.saved)
        self.manifest = manifest
        self._enter("preflight")
        self._do("measure")

    # preflight, downloading, verify-file, staged: the payload

    def _preflight_measured(self, flash_bytes, heap_bytes):
        policy.check_room(self.manifest, flash_bytes, heap_bytes)
        self._again = False
        self._download()

    def _download(self):
        self._enter("downloading")
        self._do("download", self.manifest.digest, self.manifest.size)

    def _downloading_progress(self, percent):
        if percent - self.progress >= _REPORT_STEP or percent < self.progress:
            self.progress = percent
            self._do("report")

    def _downloading_unstored(self):
        self._fail("timeout", "payload")

    def _downloading_stored(self):
        self.progress = 100
        self._enter("verify-file")
        self._do("hash")

    def _verify_file_hashed(self, digest):
        if digest == self.manifest.digest:
            self._enter("staged")
            config = self._config if self._config is not None else self.manifest.config
            self._do("stage", self._wanted().manifest, self._blob, self.manifest, config)
            return
        self._do("discard")
        if self._again:
            raise Refused("digest", "payload")
        self._again = True
        self.progress = 0
        self._download()

    def _staged_staged(self):
        saved = self.saved
        manifest = self.manifest
        saved.trial = self._wanted().manifest
        saved.trial_config = self._wanted().config
        saved.trial_signer = self._key.kid
        saved.trial_name = manifest.name
        saved.trial_version = manifest.version
        saved.trial_counter = manifest.counter
        saved.tries = manifest.tries
        saved.confirm_s = manifest.confirm_s
        self._forget()
        self._start_trial()

    # failed: the network; try again later

    def _fail(self, reason, detail):
        pointer = self._pointer
        self._do("cancel")
        self._forget()
        self._pointer = pointer
        self._enter("failed", reason, detail)
        delay = min(_FIRST_RETRY_MS << min(self._retries, 9), _LAST_RETRY_MS)
        self._retries += 1
        self.wake = self._now + min(delay + self._spread(delay // 4), _LAST_RETRY_MS)

    def _failed_tick(self):
        if self.wake is not None and self._now >= self.wake:
            self._check(self._pointer)
            self.wake = self._now
            self._check_tick()

    GOT = {"document": _got_document, "keys": _got_keys, "manifest": _got_manifest, "config": _got_config}

    HANDLERS = dict(Trial.HANDLERS)
    HANDLERS.update(
        {
            "desired": _any_desired,
            "fetched": _any_fetched,
            "unfetched": _any_unfetched,
            "online": _any_online,
            ("check", "tick"): _check_tick,
            ("verify", "verified"): _verify_verified,
            ("preflight", "measured"): _preflight_measured,
            ("downloading", "progress"): _downloading_progress,
            ("downloading", "unstored"): _downloading_unstored,
            ("downloading", "stored"): _downloading_stored,
            ("verify-file", "hashed"): _verify_file_hashed,
            ("staged", "staged"): _staged_staged,
            ("failed", "tick"): _failed_tick,
        }
    )
