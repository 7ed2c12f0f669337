"""The update machine from a trusted manifest to a component that is ready to start: room, payload, staging; failures and when to try again."""

from hashlib import sha256

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire import policy
from mpwasm.wire.saved import Part
from mpwasm.wire.trial import Trial

_FIRST_RETRY_MS = const(10000)
_LAST_RETRY_MS = const(3600000)
_JOB_MS = const(14400000)
_REPORT_STEP = const(10)
_BUSY = ("manifest", "verify", "preflight", "downloading", "verify-file", "staged")


class Staging(Trial):
    """Adds one component after the other to `_parts`; `update.Update` calls `_measure` for each and says what comes next in `_next`."""

    def _spread(self, span_ms):
        """This board's share of a time span: another one for each seq and retry, the same if asked again."""
        seed = "%s %d %d" % (self.board.device, self.saved.seq, self._retries)
        return span_ms * sha256(seed.encode()).digest()[0] // 256

    def _enter(self, state, reason=None, detail=""):
        super()._enter(state, reason, detail)
        if state in _BUSY:
            self.wake = self._until  # nothing stays under way for ever

    def _job(self, begins):
        """A job begins at a time: it has four hours."""
        self._until = begins + _JOB_MS

    def _busy_tick(self):
        if self._now >= self._until:
            self._fail("timeout", self.state)

    def _measure(self, manifest):
        self.manifest = manifest
        self._enter("preflight")
        self._swept = False
        self._do("measure", manifest.kind)

    def _preflight_measured(self, flash_bytes, heap_bytes):
        try:
            policy.check_room(self.manifest, flash_bytes, heap_bytes - sum([part.memory for part in self._parts if part.kind == "wasm"]))
        except Refused as refusal:
            if refusal.reason != "no-space" or self._swept:
                raise
            self._swept = True  # other updates may have left something
            self._do("keep", [part.key() for part in list(self.saved.running) + self._parts], (self.manifest.digest,))
            self._do("measure", self.manifest.kind)
            return
        self._again = False
        self._download()

    def _download(self):
        self._enter("downloading")
        self._do("download", self.manifest.digest, self.manifest.size)

    def _progress(self, percent):
        if percent - self.progress >= _REPORT_STEP or percent < self.progress:
            self.progress = percent
            self._do("report")

    def _unstored(self):
        self._fail("timeout", "payload")

    def _downloading_stored(self):
        self.progress = 100
        self._enter("verify-file")
        self._do("hash")

    def _verify_file_hashed(self, digest):
        if digest == self.manifest.digest:
            self._enter("staged")
            self._do("stage", self._part(), self._blob, self.manifest, self.manifest.config if self._config is None else self._config)
            return
        self._do("discard")
        if self._again:
            raise Refused("digest", "payload")
        self._again = True
        self.progress = 0
        self._download()

    def _part(self):
        wanted = self._wanted
        manifest = self.manifest
        return Part(
            slot=wanted.slot,
            kind=wanted.kind,
            manifest=wanted.manifest,
            config=wanted.config,
            payload=manifest.digest,
            name=manifest.name,
            version=manifest.version,
            counter=manifest.counter,
            memory=manifest.memory,
            signer=self._key.kid,
        )

    def _staged_staged(self):
        self._parts.append(self._part())
        self._tries = min(self._tries, self.manifest.tries)
        self._confirm_s = max(self._confirm_s, self.manifest.confirm_s)
        self._next()

    def _staged_unfit(self, reason, detail):
        raise Refused(reason, detail)

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

    def _any_online(self):
        if self.state == "failed":
            self._retries = 0
            self.wake = min(self.wake, self._now + self._spread(_FIRST_RETRY_MS))
        super()._any_online()

    HANDLERS = dict(Trial.HANDLERS)
    HANDLERS.update(
        {
            "online": _any_online,
            ("preflight", "measured"): _preflight_measured,
            ("downloading", "progress"): _progress,
            ("downloading", "unstored"): _unstored,
            ("downloading", "stored"): _downloading_stored,
            ("verify-file", "hashed"): _verify_file_hashed,
            ("staged", "progress"): _progress,
            ("staged", "staged"): _staged_staged,
            ("staged", "unstored"): _unstored,
            ("staged", "unfit"): _staged_unfit,
        }
    )
    for _state in _BUSY:
        HANDLERS[_state, "tick"] = _busy_tick
