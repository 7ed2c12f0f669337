"""What runs on the board, as the update machine sees it: trial, confirmation, roll-back, start at boot. `update.Update` adds the rest."""

from mpwasm.compat import const
from mpwasm.errors import Refused

_MAX_DETAIL = const(200)
_UNFIT = ("malformed", "invalid", "unlinkable", "abi", "no-memory")
SETTLED = ("idle", "confirmed", "rolled-back", "rejected")


def cut(detail):
    """`detail` (None or str) as a report takes it: text of at most 200 bytes."""
    text = "" if detail is None else str(detail)
    while len(text.encode()) > _MAX_DETAIL:
        text = text[:-1]
    return text


class Trial:
    """The half of the machine that needs the journal only; events, actions and attributes are described in `update`."""

    def __init__(self, saved):
        self.saved = saved
        self.state = "idle"
        self.reason = None
        self.detail = ""
        self.progress = 0
        self.online = False
        self.wake = None
        self._confirm_at = 0
        self._crash = None
        self._actions = []
        self._now = 0

    def feed(self, event, now):
        """The actions that `event` at time `now` calls for, in order."""
        self._now = now
        name = event[0]
        handler = self.HANDLERS.get(name) or self.HANDLERS.get((self.state, name))
        if handler is not None:
            try:
                handler(self, *event[1:])
            except Refused as refusal:
                self._end("rejected", refusal.reason, refusal.detail)
        actions = self._actions
        self._actions = []
        return actions

    def component(self):
        """The `ComponentReport` of the present state; a module that crashed after its confirmation is reported as failed."""
        from mpwasm.wire.report import ComponentReport

        saved = self.saved
        state, reason, detail = self.state, self.reason, self.detail
        if self._crash is not None and state in SETTLED:
            state = "failed"
            reason, detail = self._crash
        on_trial = saved.trial is not None
        return ComponentReport(
            state=state,
            reason=reason,
            detail=detail,
            progress=self.progress,
            manifest=saved.trial if on_trial else saved.running,
            name=saved.trial_name if on_trial else saved.name,
            version=saved.trial_version if on_trial else saved.version,
        )

    def _do(self, *action):
        self._actions.append(action)

    def _save(self):
        self._do("save", self.saved.encode())

    def _enter(self, state, reason=None, detail=""):
        self.state = state
        self.reason = reason
        self.detail = detail
        self.wake = None
        self._do("report")

    def _end(self, outcome, reason=None, detail="", then=()):
        """Settle this seq, which is never tried again: save, do the actions `then`, report."""
        saved = self.saved
        saved.outcome = outcome
        saved.reason = reason
        saved.detail = cut(detail)
        self._save()
        for action in then:
            self._do(*action)
        self._enter(outcome, reason, saved.detail)

    def _any_boot(self):
        saved = self.saved
        if saved.trial is not None:
            self._start_trial()
            return
        if saved.running is not None:
            self._do("start", saved.running, False)
        state = saved.outcome if saved.outcome in SETTLED else "idle"
        self._enter(state, saved.reason, saved.detail)

    def _any_time(self, seconds):
        if seconds > self.saved.floor:
            self.saved.floor = seconds
            self._save()

    def _any_online(self):
        self.online = True
        if self.state == "trial":
            self._trial_tick()
        self._do("report")

    def _any_offline(self):
        self.online = False

    def _any_failed(self, reason, detail=""):
        if self.state == "trial":
            self._roll_back("rejected" if reason in _UNFIT else "rolled-back", reason, detail)
        else:
            self._crash = reason, cut(detail)
            self._do("report")

    def _start_trial(self):
        """Start the module on trial, counting the try before the start; without tries left, give it up."""
        saved = self.saved
        if not saved.tries:
            self._roll_back("rolled-back", "timeout", "no tries left")
            return
        saved.tries -= 1
        self._save()
        self._crash = None
        self._enter("trial")
        self.wake = self._confirm_at = self._now + saved.confirm_s * 1000
        self._do("start", saved.trial, True)

    def _trial_tick(self):
        if self._now >= self._confirm_at:
            self.wake = None
            if self.online:
                self._confirm()

    def _trial_started(self):
        """It runs now, after a compilation maybe: the time until it is confirmed begins."""
        self.wake = self._confirm_at = self._now + self.saved.confirm_s * 1000

    def _confirm(self):
        saved = self.saved
        if saved.trial_counter > saved.counters.get(saved.trial_name, 0):
            saved.counters[saved.trial_name] = saved.trial_counter
        saved.running, saved.config = saved.trial, saved.trial_config
        saved.name, saved.version = saved.trial_name, saved.trial_version
        saved.signer = saved.trial_signer
        saved.trial = saved.trial_config = saved.trial_signer = None
        self._end("confirmed", then=[("confirm", saved.running)])

    def _clear(self):
        """Nothing shall run any more."""
        self._crash = None
        saved = self.saved
        saved.running = saved.config = saved.signer = None
        saved.name = saved.version = ""
        self._end("confirmed", then=[("stop",)])

    def _roll_back(self, outcome, reason, detail):
        saved = self.saved
        then = [("stop",) if saved.running is None else ("start", saved.running, False), ("rollback", saved.trial)]
        saved.trial = saved.trial_config = saved.trial_signer = None
        self._end(outcome, reason, detail, then)

    # by event, or by state and event; tables and not method names, which would stay in the heap
    HANDLERS = {
        "boot": _any_boot,
        "time": _any_time,
        "online": _any_online,
        "offline": _any_offline,
        "failed": _any_failed,
        ("trial", "tick"): _trial_tick,
        ("trial", "started"): _trial_started,
    }
