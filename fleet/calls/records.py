"""Log lines, readings and the audit log: what a client can ask of them."""

import time
from decimal import Decimal

from fleet.calls.common import fields
from fleet.model import AuditEvent

LINE_FIELDS = ("id", "device", "counter", "uptime_ms", "level", "text", "received")
READING_FIELDS = ("id", "device", "counter", "uptime_ms", "name", "value_int", "scale", "received")


class Records:
    """Part of `fleet.client.LocalClient`."""

    def logs(self, after, device=None, limit=1000):
        """[{"id", "device", "uptime_ms", "level", "text", "received"}] with ids above `after`."""
        return [fields(row, LINE_FIELDS) for row in self._store.lines(after, device, limit)]

    def log_start(self, count, device=None):
        """The id after which the newest `count` lines come."""
        return self._store.last_line_ids(count, device) if count else self._store.newest_line()

    def log_since(self, then, device=None):
        """The id after which the lines come that arrived at `then` (seconds since 1970) or later."""
        return self._store.line_before(then, device)

    def readings(self, after=0, device=None, limit=1000):
        """[{"id", "device", "name", "value", …}] with ids above `after`."""
        rows = self._store.readings(after, device, limit)
        return [{**fields(row, READING_FIELDS), "value": float(Decimal(row.value_int).scaleb(row.scale))} for row in rows]

    def audit_log(self, after=0, limit=1000):
        """[{"id", "actor", "action", "subject", "detail", "count", "created"}] with ids above `after`, oldest first."""
        return [fields(row, tuple(AuditEvent.model_fields)) for row in self._store.audit_after(after, limit)]

    def audit_start(self, count):
        """The id after which the newest `count` events of the audit log come."""
        return self._store.audit_start(count)

    def prune(self, logs_days, telemetry_days):
        """Delete log lines and readings that are older than so many days; {"logs", "readings"}: how many went."""
        now = time.time()
        gone = self._store.prune(now - 86400 * logs_days, now - 86400 * telemetry_days)
        self._store.audit(self.actor, "prune", f"{logs_days:g} and {telemetry_days:g} days", f"{gone['logs']} lines, {gone['readings']} readings")
        return gone
