"""What runs on the board, as the update machine sees it: trial, confirmation, roll-back, start at boot. `staging` and `update` add the rest."""

from mpwasm.compat import const
from mpwasm.errors import Refused

_MAX_DETAIL = const(200)
_AGENT_ONLINE_MS = const(300000)
_UNFIT = ("malformed", "invalid", "unlinkable", "abi", "no-memory")
SETTLED = ("idle", "confirmed", "rolled-back", "rejected")


def cut(detail):
    """`detail` (None or str) as a report takes it: text of at most 200 bytes."""
    text = "" if detail is None else str(detail)
    while len(text.encode()) > _MAX_DETAIL:
        text = text[:-1]
    return text


def in_slot(parts, slot):
    """The one of `parts` in `slot`, or None."""
    for part in parts:
        if part.slot == slot:
            return part
    return None


def agent_of(parts):
    """The agent among `parts`, or None."""
    for part in parts:
        if part.kind == "agent":
            return part
    return None


class Trial:
    """The part of the machine that needs the journal only; events, actions and attributes are described in `update`."""

    def __init__(self, saved):
        self.saved = saved
        self.state = "idle"
        self.reason = None
        self.detail = ""
        self.progress = 0
        self.online = False
        self.wake = None
        self.agent = None
        self._confirm_at = 0
        self._waiting = None
        self._then = None
        self._crashes = {}
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
                while self._then:  # what a handler leaves for behind it, so that calls nest less deep: boards allow 27
                    handler, self._then = self._then, None
                    handler()
            except Refused as refusal:
                self._end("rejected", refusal.reason, refusal.detail)
        if self._waiting is not None and self.state != "trial":
            waiting, self._waiting = self._waiting, None
            self._take(waiting)  # the pointer that has waited for a verdict, behind all that the verdict asks for
        actions = self._actions
        self._actions = []
        return actions

    def components(self):
        """A `ComponentReport` for each slot that runs or is on trial or was touched, at least one; what crashed later on is failed."""
        parts = self.saved.trial or self.saved.running
        slots = [slot for slot in range(16) if in_slot(parts, slot) or self.saved.touched >> slot & 1]
        return [self._component(slot, in_slot(parts, slot)) for slot in slots or (0,)]

    def _component(self, slot, part):
        from mpwasm.wire.report import ComponentReport

        touched = not self.saved.touched or self.saved.touched >> slot & 1
        state, reason, detail = (self.state, self.reason, self.detail) if touched else ("confirmed", None, "")
        if slot in self._crashes and state in SETTLED:
            state = "failed"
            reason, detail = self._crashes[slot]
        return ComponentReport(
            slot=slot,
            state=state,
            reason=reason,
            detail=detail,
            progress=self.progress if touched else 100,
            manifest=part.manifest if part else None,
            name=part.name if part else "",
            version=part.version if part else "",
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

    def _end(self, outcome, reason=None, detail=""):
        """Settle this seq, which is never tried again: save, report."""
        saved = self.saved
        saved.outcome = outcome
        saved.reason = reason
        saved.detail = cut(detail)
        self._save()
        self._enter(outcome, reason, saved.detail)

    def _any_boot(self, agent=None, fell=False, trying=False):
        """`agent` is the payload digest of the agent that runs (None: no pointer names one); `fell`: main.py has just given up another one;
        `trying`: main.py counts the tries of this one."""
        saved = self.saved
        self.agent = agent
        if saved.trial:
            self._start_trial(fell)
            return
        part = agent_of(saved.running)
        if part and part.payload != agent and not trying:
            saved.running = [each for each in saved.running if each != part]
            saved.outcome, saved.reason, saved.detail = "rolled-back", "trap", "the agent died"
            self._save()
        if trying or fell:
            self._do("settle" if fell or (part and part.payload == agent) else "revert")
        self._start(saved.running, False)
        if saved.outcome != "open":
            self._do(*self._keep())  # a cut may have come between the verdict and this
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

    def _any_failed(self, slot, reason, detail=""):
        if self.state == "trial" and (self.new_agent() or in_slot(self._changed(), slot)):
            self._roll_back("rejected" if reason in _UNFIT else "rolled-back", reason, detail)
        else:
            self._crashes[slot] = reason, cut(detail)
            self._do("report")

    # trial: all components of the document together

    def _changed(self):
        """The parts on trial that are not confirmed."""
        return [part for part in self.saved.trial if part not in self.saved.running]

    def new_agent(self):
        """The agent on trial, or None."""
        return agent_of(self._changed())

    def _start(self, parts, trial):
        for part in parts:
            if part.kind == "wasm":
                self._do("start", part.slot, part.key(), trial)

    def _stop_but(self, parts, others):
        """Stop what of `others` has no place among `parts`."""
        for other in others:
            if not in_slot(parts, other.slot):
                self._crashes.pop(other.slot, None)
                self._do("stop", other.slot)

    def _start_trial(self, fell=False):
        """Start what is on trial, counting the try before the start; without tries left, give it up. A new agent begins by a reset."""
        saved = self.saved
        new = self.new_agent()
        if not saved.tries or fell:
            self._roll_back("rolled-back", "trap" if fell else "timeout", "the agent died" if fell else "no tries left")
            if fell:
                self._do("settle")
            return
        if new is None or new.payload == self.agent:
            saved.tries -= 1
        self._save()
        self._enter("trial")
        if new and new.payload != self.agent:
            self._do("switch", new.payload, saved.tries)
            return
        self.wake = self._confirm_at = self._now + saved.confirm_s * 1000
        self._stop_but(saved.trial, saved.running)
        for part in self._changed():
            self._crashes.pop(part.slot, None)
        self._start(saved.trial, True)

    def _trial_tick(self):
        if self._now < self._confirm_at:
            return
        self.wake = None
        if self.online:
            self._confirm()
        elif self.new_agent():  # it may be to blame: another try, by a reset
            if self._now >= self._confirm_at + _AGENT_ONLINE_MS:
                self._do("restart")
            self.wake = self._confirm_at + _AGENT_ONLINE_MS

    def _trial_restarting(self):
        """The board restarts for a reason of its own: that is no try."""
        self.saved.tries += 1
        self._save()

    def _keep(self):
        return "keep", [part.key() for part in self.saved.running]

    def _trial_started(self):
        """It runs now, after a compilation maybe: the time until it is confirmed begins."""
        self.wake = self._confirm_at = self._now + self.saved.confirm_s * 1000

    def _confirm(self):
        saved = self.saved
        agent = self.new_agent()
        for part in self._changed():
            if part.counter > saved.counters.get(part.name, 0):
                saved.counters[part.name] = part.counter
        saved.running, saved.trial = saved.trial, ()
        self._end("confirmed")
        if agent:
            self._do("settle")
        self._do(*self._keep())

    def _roll_back(self, outcome, reason, detail):
        saved = self.saved
        new = self.new_agent()
        given_up, saved.trial = saved.trial, ()
        self._end(outcome, reason, detail)
        self._stop_but(saved.running, given_up)
        self._start(saved.running, False)
        self._do(*self._keep())
        if new and new.payload == self.agent:
            self._do("revert")

    # by event, or by state and event; tables and not method names, which would stay in the heap
    HANDLERS = {
        "boot": _any_boot,
        "time": _any_time,
        "online": _any_online,
        "offline": _any_offline,
        "failed": _any_failed,
        ("trial", "tick"): _trial_tick,
        ("trial", "started"): _trial_started,
        ("trial", "restarting"): _trial_restarting,
    }
