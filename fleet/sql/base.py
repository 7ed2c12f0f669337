"""The connection to the database: engine, pragmas, and one transaction that nested calls join."""

from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import event
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, SQLModel, create_engine, select

from fleet.errors import FleetError
from fleet.model import Setting

SCHEMA_VERSION = "1"

_BUSY_TIMEOUT_S = 30


def make_engine(url):
    """An engine for `url`; SQLite gets WAL (readers never wait for the writer) and foreign keys."""
    sqlite = url.startswith("sqlite")
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S} if sqlite else {})
    if sqlite:
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _begin_immediately)
    return engine


def _sqlite_pragmas(connection, _record):
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection):
    """Take the write lock at once where the transaction will write: a later upgrade could fail with "database is locked"."""
    writing = connection.get_execution_options().get("fleet_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class Base:
    """A database of the fleet at `url`."""

    def __init__(self, url):
        self.engine = make_engine(url)
        self._session = ContextVar(f"session-{id(self)}", default=None)

    def create(self):
        """Make the tables of a new fleet."""
        SQLModel.metadata.create_all(self.engine)
        with self.write() as session:
            session.merge(Setting(name="schema", value=SCHEMA_VERSION))

    def check(self):
        """Raise FleetError unless this is a database of this version of the fleet; return self."""
        try:
            found = self.setting("schema")
        except DatabaseError as error:
            raise FleetError("The database is not one of this fleet manager. Check `url` in fleet.toml, or run `fleet init`.") from error
        if found != SCHEMA_VERSION:
            raise FleetError(f"The database has version {found}, this program needs {SCHEMA_VERSION}. Install the version that belongs to it.")
        return self

    def close(self):
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def _open(self, writing):
        outer = self._session.get()
        if outer is not None:
            yield outer
            return
        connection = self.engine.connect().execution_options(fleet_write=writing)
        with connection, Session(connection, expire_on_commit=False) as session:
            token = self._session.set(session)
            try:
                yield session
                session.commit()
            finally:
                self._session.reset(token)

    def write(self):
        """A transaction as a context manager giving the session; a nested one joins the outer one."""
        return self._open(True)

    def read(self):
        """Like `write`, without the write lock."""
        return self._open(False)

    def setting(self, name, default=None):
        """The setting `name` as str, or `default`."""
        with self.read() as session:
            row = session.get(Setting, name)
            return row.value if row else default

    def put_setting(self, name, value):
        """Store the setting `name`."""
        with self.write() as session:
            session.merge(Setting(name=name, value=str(value)))

    def rows(self, statement):
        """All rows of a select statement as a list."""
        with self.read() as session:
            return list(session.exec(statement))

    def row(self, model, *where):
        """The first row of `model` that meets all conditions, or None."""
        with self.read() as session:
            return session.exec(select(model).where(*where)).first()
