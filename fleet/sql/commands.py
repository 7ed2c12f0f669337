"""Commands to boards and what became of them: the SQL of it."""

from sqlmodel import col, func, select

from fleet.model import Command

OPEN = ("queued", "sent")


class Commands:
    """Part of `fleet.store.Store`."""

    def add_command(self, command):
        """Store a `Command`; returns its id."""
        with self.write() as session:
            session.add(command)
            session.flush()
            return command.id

    def command(self, number):
        """The `Command` of this id, or None."""
        return self.row(Command, Command.id == number)

    def has_open_commands(self):
        """Whether any command waits to be sent or answered."""
        return self.row(Command, col(Command.state).in_(OPEN)) is not None

    def open_commands(self):
        """Those, oldest first, locked for the transaction where the database can; what another service has locked is its business."""
        return self.rows(select(Command).where(col(Command.state).in_(OPEN)).order_by(Command.id).with_for_update(skip_locked=True))

    def sent_command(self, device, boot_id, counter):
        """The command that was sent to `device` under this boot id (hex) and counter, or None; an ended one is given, too."""
        return self.row(Command, Command.device == device, Command.boot_id == boot_id, Command.counter == counter)

    def last_counter(self, device, other_than):
        """The highest counter sent to `device` in commands other than the one of id `other_than`; 0 if there is none."""
        found = self.rows(select(func.max(Command.counter)).where(Command.device == device, Command.id < other_than))
        return found[0] or 0

    def update_command(self, number, **changes):
        """Change fields of a command."""
        with self.write() as session:
            command = session.get(Command, number)
            command.sqlmodel_update(changes)
            session.add(command)

    def end_command(self, number, now, state, reason=None, detail=None):
        """End a command, unless it has ended: an answer may come twice."""
        with self.write() as session:
            command = session.get(Command, number)
            if command.state in OPEN:
                command.sqlmodel_update({"state": state, "reason": reason, "detail": detail, "ended": now})
                session.add(command)
