"""Finds boards that somebody keeps from hearing or from being heard: what they say is authentic, but not fresh (a freeze attack).

A broker may hold messages back and show old ones; it cannot make a board's report. So a board whose presence says that it is online must have
reported lately, and its report must speak of the newest order.
"""

from fleet.rollout import ONLINE_STATES

GRACE_S = 60.0  # for an order to show in a report
SILENCE_S = 200.0  # three heartbeats of the agent, and a bit
CHECK_S = 30.0

BEHIND = "behind"
SILENT = "silent"


def judge(state, report_at, report_seq, order_at, order_seq, now):
    """None where all is well, else BEHIND (reports, but knows nothing of its order) or SILENT (said to be online, but does not report).

    Times in seconds since 1970; `report_at` None for no report, `order_at` None for no order.
    """
    if state not in ONLINE_STATES or report_at is None:
        return None
    if now - report_at > SILENCE_S:
        return SILENT
    if order_at is not None and report_seq < order_seq and report_at - order_at > GRACE_S:
        return BEHIND
    return None


class Watch:
    """Says in the audit log which boards are not fresh, every half minute as long as they are not."""

    def __init__(self, store):
        self._store = store
        self._next = 0.0

    def look(self, now):
        """Look, if it is time to."""
        if now < self._next:
            return
        self._next = now + CHECK_S
        for device, *facts in self._store.stale_boards(ONLINE_STATES, now - SILENCE_S, GRACE_S):
            found = judge(*facts, now)
            if found:
                self._store.audit("service", "not fresh", device, found)
