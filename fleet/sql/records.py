"""Log lines, readings, the audit log and signs of life: the SQL of it."""

import time

from sqlmodel import col, delete, func, select

from fleet.model import AuditEvent, LogLine, Reading, Service

MERGE_WINDOW_S = 60.0
# What boards, or whoever pretends to be one, can make happen again and again.
COUNTED = frozenset(["refused", "no such blob"])


class Records:
    """Part of `fleet.store.Store`."""

    def add_lines(self, lines):
        """Store `LogLine` rows."""
        with self.write() as session:
            session.add_all(lines)

    def add_readings(self, readings):
        """Store `Reading` rows."""
        with self.write() as session:
            session.add_all(readings)

    def lines(self, after=0, device=None, limit=1000):
        """Log lines with an id above `after`, oldest first, at most `limit`."""
        return self._after(LogLine, after, device, limit)

    def readings(self, after=0, device=None, limit=1000):
        """Readings with an id above `after`, oldest first, at most `limit`."""
        return self._after(Reading, after, device, limit)

    def _after(self, model, after, device, limit):
        statement = select(model).where(model.id > after)
        if device is not None:
            statement = statement.where(model.device == device)
        return self.rows(statement.order_by(model.id).limit(limit))

    def last_line_ids(self, count, device=None):
        """The id below the newest `count` log lines: where `fleet logs` starts."""
        statement = select(LogLine.id).order_by(col(LogLine.id).desc())
        if device is not None:
            statement = statement.where(LogLine.device == device)
        newest = self.rows(statement.limit(count))
        return newest[-1] - 1 if newest else self.newest_line()

    def line_before(self, then, device=None):
        """The id below the first log line that was received at `then` or later; the newest id if there is none."""
        statement = select(func.min(LogLine.id)).where(LogLine.received >= then)
        if device is not None:
            statement = statement.where(LogLine.device == device)
        first = self.rows(statement)[0]
        return self.newest_line() if first is None else first - 1

    def newest_line(self):
        """The id of the newest log line, 0 if there is none."""
        return self.rows(select(func.max(LogLine.id)))[0] or 0

    def audit(self, actor, action, subject, detail=""):
        """Note who did what. What the service refuses is noted once a minute, with a count: an attacker cannot fill the disk."""
        now = time.time()
        same = (AuditEvent.actor == actor, AuditEvent.action == action, AuditEvent.subject == subject, AuditEvent.detail == detail)
        with self.write() as session:
            event = None
            if action in COUNTED:
                event = session.exec(select(AuditEvent).where(*same, AuditEvent.created > now - MERGE_WINDOW_S)).first()
            if event is None:
                event = AuditEvent(actor=actor, action=action, subject=subject, detail=detail, count=0, created=now)
            event.count += 1
            session.add(event)

    def audit_events(self, action=None):
        """The audit log, oldest first; only `action` if given."""
        statement = select(AuditEvent).order_by(AuditEvent.id)
        return self.rows(statement if action is None else statement.where(AuditEvent.action == action))

    def audit_after(self, after=0, limit=1000):
        """Events of the audit log with an id above `after`, oldest first, at most `limit`."""
        return self.rows(select(AuditEvent).where(AuditEvent.id > after).order_by(AuditEvent.id).limit(limit))

    def audit_start(self, count):
        """The id below the newest `count` events; the newest id where there are none, or with a count of 0."""
        newest = self.rows(select(AuditEvent.id).order_by(col(AuditEvent.id).desc()).limit(count)) if count else []
        return newest[-1] - 1 if newest else self.rows(select(func.max(AuditEvent.id)))[0] or 0

    def beat(self, service):
        """Store a service's sign of life (a `Service` row)."""
        with self.write() as session:
            session.merge(service)

    def end_service(self, name):
        """Forget a service that stops."""
        with self.write() as session:
            session.exec(delete(Service).where(col(Service.id) == name))

    def bury_services(self, before):
        """Forget the services that gave no sign of life since `before`; returns how many."""
        with self.write() as session:
            return session.exec(delete(Service).where(col(Service.beat) < before)).rowcount

    def live_services(self, within_s):
        """The services that gave a sign of life in the last `within_s` seconds."""
        return self.rows(select(Service).where(Service.beat > time.time() - within_s))
