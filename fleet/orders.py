"""Carries out what `fleet.rollout` decides: gives boards their orders, opens waves, pauses and ends rollouts.

Each step is one transaction that holds the rollout's row, so that of several services one takes it. Orders are published after the
commit; those that a service stored and could not publish any more, another one publishes.
"""

import logging
import math
import time

from fleet import deploy, policy, rollout, schedule

log = logging.getLogger("fleet.orders")

ACTOR = "service"
SEND_AT_ONCE = 500
BOARDS_PER_SECOND = 250  # that fetch a module at the same time without waiting for each other
STEPS_AT_ONCE = 20
SHARE_OF_TIME = 0.1  # of one core, that looking for what is due may take
UNPUBLISHED_AFTER_S = 10.0


class Orders:
    """Works on a store; `publish` is called with lists of stored `Deployment`s."""

    def __init__(self, store, publish):
        self._store = store
        self._publish = publish
        self.share_of_time = SHARE_OF_TIME
        self._due = {}

    def advance(self, now, heard_since):
        """Take the steps that are due in all rollouts; boards can be heard since `heard_since`."""
        rows = self._store.active_rollouts()
        self._due = {row.id: self._due.get(row.id, 0.0) for row in rows}
        for row in rows:
            if now >= self._due[row.id]:
                start = time.monotonic()
                busy = self._advance(row, now, heard_since)
                self._due[row.id] = 0.0 if busy else now + (time.monotonic() - start) / self.share_of_time

    def _advance(self, row, now, heard_since):
        """One rollout: look without a lock, act with it. Returns whether there may be more to do at once."""
        if rollout.next_step(self.plan(row, now, heard_since), now) is None:
            return False
        orders = []
        with self._store.write():
            for _ in range(STEPS_AT_ONCE):
                row = self._store.lock_rollout(row.id)
                if row is None or row.state not in ("running", "paused"):
                    break
                step = rollout.next_step(self.plan(row, now, heard_since), now)
                if step is None:
                    break
                orders += self._STEPS[type(step)](self, row, step, now)
                if orders:
                    break
        self._publish(orders)
        return bool(orders)

    def plan(self, row, now, heard_since=-math.inf):
        """The `fleet.rollout.Plan` of a `Rollout` row."""
        found = read_policy(row)
        members = tuple(rollout.Member(*member) for member in self._store.members(row.id))
        resumed = -math.inf if row.resumed is None else row.resumed
        may_send = schedule.may_send(found.windows, now)
        return rollout.Plan(members, found, row.wave, row.opened, row.state == "paused", resumed, heard_since, may_send)

    def _send(self, row, step, now):
        found = self._store.queued(row.id, step.devices[:SEND_AT_ONCE])
        before = self._before([name for name, _, _ in found])
        window_s = max(row.window_s, len(step.devices) // BOARDS_PER_SECOND)
        orders = deploy.assign_all(self._store, [deploy.Order(name, module, row.id, window_s) for name, module, _ in found], now)
        fixed = {"rollout": row.id, "state": rollout.SENT, "wave": row.wave, "sent": now}
        changes = [
            {**fixed, "device": order.device, "seq": order.seq, "previous": before[order.device], "started": now if online else None}
            for order, (_, _, online) in zip(orders, found)
        ]
        self._store.update_targets(changes)
        self._store.supersede([order.device for order in orders], row.id)
        return orders

    def _before(self, devices):
        """{device: digest of the module it runs, "" for none}: what an undo brings back."""
        running = self._store.running_digests(devices)
        known = {digest for digest in set(running.values()) if self._store.module(digest)}
        return {name: running[name] if running.get(name) in known else "" for name in devices}

    def _expire(self, row, step, now):
        changes = {"state": rollout.TIMEOUT, "reason": "timeout", "ended": now}
        self._store.update_targets([{"rollout": row.id, "device": name, **changes} for name in step.devices])
        return []

    def _open(self, row, step, now):
        self._store.change_rollout(row.id, wave=step.wave, opened=now)
        self._store.audit(ACTOR, "rollout wave", str(row.id), f"wave {step.wave + 1}")
        return []

    def _pause(self, row, step, now):
        self._store.change_rollout(row.id, state="paused", reason=step.reason)
        self._store.audit(ACTOR, "rollout paused", str(row.id), step.reason)
        log.warning("rollout %d is paused: %s", row.id, step.reason)
        return []

    def _finish(self, row, step, now):
        self._store.change_rollout(row.id, state="done", reason=None, ended=now)
        self._store.audit(ACTOR, "rollout done", str(row.id))
        return []

    _STEPS = {rollout.Send: _send, rollout.Expire: _expire, rollout.Open: _open, rollout.Pause: _pause, rollout.Finish: _finish}

    def rescue(self, now):
        """Publish what another service stored and did not live to publish."""
        orders = self._store.unpublished(now - UNPUBLISHED_AFTER_S)
        if orders:
            log.warning("publishing %d orders that were left over", len(orders))
            self._publish(orders)

    def join(self):
        """Boards that belong to a running rollout's group or filter by now join it."""
        for row in self._store.active_rollouts():
            if row.undoes is not None:
                continue
            belonging = self._store.matching(row.group, row.selection)
            there = self._store.in_rollout(row.id)
            new = [name for name in belonging if name not in there]
            told = self._store.told(new)
            wanted = {name: row.module for name in new if told.get(name, ("", 0))[0] != row.module}
            if wanted:
                self._store.add_targets(row.id, wanted, True)
                self._store.audit(ACTOR, "rollout joined", str(row.id), f"{len(wanted)} boards")


def read_policy(row):
    """The `fleet.rollout.Policy` of a `Rollout` row."""
    return policy.read({"timeout_s": row.timeout_s, **row.policy})
