"""The starts of modules, one after the other in slices; what lacks memory for its start may get a restart for it. A part of `install.Install`."""

import gc

from mpwasm.agent import phase, room
from mpwasm.compat import const
from mpwasm.errors import Refused, WasmError

_SLICE_MS = const(50)
_REPORT_STEP = const(10)
# what a module is no longer needed for once it is to be started: the loader wants the room
_DECIDED = ("mpwasm.wire.desired", "mpwasm.wire.envelope", "mpwasm.wire.keys", "mpwasm.wire.manifest", "mpwasm.wire.record", "mpwasm.agent.ahead")


class Starts:
    """The `pending` ones of an `Install`, (slot, key) each: of the first `spec` is what is known, and `starting` the generator of `launch`."""

    def _not_pending(self, slot):
        if self.pending and self.pending[0][0] == slot:
            self._stop_starting()
        self.pending = [row for row in self.pending if row[0] != slot]

    def _stop_starting(self):
        if self.starting:
            self.starting.close()  # it may have a file open
        self.starting = self.spec = None
        room.give(self.owner)

    def start(self, now, lack=None):
        """One slice of starting the first of the `pending` modules: see `launch.bring`. A guest that ends meanwhile is not this one. `lack` is a
        MemoryError of the line or of a report meanwhile: it becomes one of the start's own, which can do with less."""
        if self.starting is None:
            self.starting = False  # this turn was what decided that
            return None
        from mpwasm.agent import launch

        slot, key = self.pending[0]
        while True:
            try:
                if self.spec is None:
                    room.take(self.owner)
                    self.owner.told[slot] = True
                    self.owner.wanted = bytes((slot,)) + key
                    self.spec = self.store.load_spec(key)
                    if self.spec is None:
                        raise Refused("digest", "flash")
                    phase.drop(*_DECIDED)
                    return None
                self.starting = self.starting or launch.task(self.owner, slot, self.store, self.spec, self._may())
                percent = self.starting.throw(lack) if lack else next(self.starting)
            except StopIteration:
                return self._started()
            except room.Again as again:
                return self._again(*again.args)
            except (Refused, WasmError, MemoryError) as error:
                return self._unfit(launch.refusal(error))
            lack = None
            if not self._prepared(percent) or self.board.uptime_ms() >= now + _SLICE_MS:
                return None

    def _may(self):
        """Whether a restart may give a start memory: none in a life that is for one, nor while there is an agent on trial, since its starts count."""
        return not (self.owner.life or self.machine.new_agent())

    def _again(self, why, life):
        """A restart that costs what is on trial no try."""
        self.starting = None
        gc.collect()
        self.feed(("restarting",))
        room.again(self.owner, life, why)

    def _prepared(self, percent):
        """So much of the module is machine code; None after what takes a turn of its own: reading a part of it, loading files. False for that."""
        if percent is not None and (percent - self.machine.progress >= _REPORT_STEP or percent < self.machine.progress):
            self.machine.progress = percent
            self.owner.view.take(self.machine)
            self.owner.note = "compiling"
            self.owner.agent.report()
        return percent is not None

    def _started(self):
        slot, key = self._over()
        if self.owner.life == room.MAKE:
            return
        self.owner.running[slot] = key
        self.feed(("started",))

    def _over(self):
        """The end of a start: slot and key of what was to be started."""
        slot, key = self.pending.pop(0)
        self._stop_starting()
        self.owner.told[slot] = False
        self.owner.note = ""
        return slot, key

    def _unfit(self, refused):
        if refused.reason == "no-memory" and self._may():
            return self._again("heap: " + refused.detail, room.START)
        slot, key = self._over()
        self.log.note("can't start: %s %s" % (refused.reason, refused.detail))
        guest = self.owner.guest_in(slot)
        if not guest.inst:
            self.owner.running.pop(slot, None)
        if self.machine.state != "trial":
            self.owner.running[slot] = key
            self.owner.told[slot] = True
            guest.fail(refused.reason, refused.detail)
        self.events.append(("failed", slot, refused.reason, refused.detail))
