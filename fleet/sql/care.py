"""Care of the database: old log lines and readings go, everything can be taken along: the SQL of it."""

from sqlmodel import SQLModel, col, delete, func, select

from fleet.model import LogLine, Reading

PRUNE_AT_ONCE = 20_000
# Columns that an export leaves out: what they hold is secret, or opens something.
SECRET = {("device", "sealed_key"), ("token", "digest"), ("webhook", "sealed")}


class Care:
    """Part of `fleet.store.Store`."""

    def prune(self, logs_before, readings_before):
        """Delete log lines and readings received before these times (seconds; None keeps all); {"logs", "readings"}: how many went."""
        return {"logs": self._prune(LogLine, logs_before), "readings": self._prune(Reading, readings_before)}

    def _prune(self, model, before):
        """In steps, so that nobody waits long for the write lock: ids rise with time, so the old ones are the lowest."""
        gone = 0
        while before is not None:
            with self.write() as session:
                oldest = select(model.id).order_by(model.id).limit(PRUNE_AT_ONCE).subquery()
                due = select(func.count(), func.max(model.id)).where(col(model.id).in_(select(oldest.c.id)), model.received < before)
                count, last = session.exec(due).one()
                if count:
                    session.exec(delete(model).where(model.id <= last, model.received < before))
            gone += count
            if count < PRUNE_AT_ONCE:
                break
        return gone

    def tables(self):
        """The names of all tables, those first that others refer to."""
        return [table.name for table in SQLModel.metadata.sorted_tables]

    def export(self, name):
        """Generator of the rows of a table as dicts, without what is secret."""
        table = SQLModel.metadata.tables[name]
        shown = [column for column in table.c if (name, column.name) not in SECRET]
        with self.engine.connect().execution_options(yield_per=1000) as connection:
            for row in connection.execute(select(*shown).order_by(*table.primary_key)):
                yield dict(row._mapping)
