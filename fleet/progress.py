"""What an authentic report says of a board's place in its rollout, decided without I/O."""

from fleet import rollout


def advance(target, report, online, rollout_runs, now, slot=0):
    """The changes (dict, perhaps empty) that a `mpwasm.wire.report.Report` makes to the newest `Target` row of its board; `slot` is its module's.

    A board that was given up for taking too long may still come to another end; one that confirmed and then fails while its rollout
    still runs has failed.
    """
    if target.seq is None or report.seq < target.seq:
        return {}
    if report.seq > target.seq:
        return {} if target.state in rollout.FINAL else {"state": rollout.SUPERSEDED, "ended": now}
    part = next((part for part in report.components if part.slot == slot), None)
    if part is None:
        return {}
    state = rollout.outcome(part.state, part.reason)
    if not _may_become(target.state, state, rollout_runs):
        return {}
    if state == rollout.CONFIRMED and (part.manifest.hex() if part.manifest else "") != target.module:
        return {}
    changes = {"state": state, "reason": part.reason, "detail": part.detail or None, "progress": part.progress}
    changes["ended"] = now if state in rollout.FINAL else None
    changes["started"] = now if target.started is None and online else target.started
    changes["acked"] = now if target.acked is None else target.acked
    return changes


def _may_become(old, new, rollout_runs):
    if old == rollout.CONFIRMED:
        return new == rollout.FAILED and rollout_runs
    return old not in rollout.FINAL or (old == rollout.TIMEOUT and new in rollout.FINAL)
