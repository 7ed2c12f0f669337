"""The connection to the database: engine, pragmas, and one transaction that nested calls join."""

from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import bindparam, event, insert, inspect, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, SQLModel, create_engine, select

from fleet.errors import FleetError
from fleet.model import Setting

VERSION = "0004"  # of the newest migration; a test compares

_BUSY_TIMEOUT_S = 30


def make_engine(url):
    """An engine for `url`; SQLite gets WAL (readers never wait for the writer) and foreign keys."""
    if url.startswith("postgresql:"):
        url = url.replace("postgresql:", "postgresql+psycopg:", 1)
    is_sqlite = url.startswith("sqlite")
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S} if is_sqlite else {}, pool_pre_ping=not is_sqlite)
    if is_sqlite:
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _begin_immediately)
    return engine


def _sqlite_pragmas(connection, _record):
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "case_sensitive_like=ON"):
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
            session.connection().exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            session.connection().exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{VERSION}')")

    def check(self):
        """Raise FleetError unless this is a database of this version of the fleet; return self."""
        found = self.version()
        if found is None:
            raise FleetError("The database is not one of this fleet manager. Check `url` in fleet.toml, or run `fleet init`.")
        if found < VERSION:
            raise FleetError(
                f"The database has version {found}, this program needs {VERSION}. `fleet db upgrade` brings it there; make a copy first."
            )
        if found > VERSION:
            raise FleetError(f"The database has version {found}, newer than this program's {VERSION}. Install the version that belongs to it.")
        return self

    def version(self):
        """The database's version, "0001" if it is older than the migrations, None if it is not a fleet's. FleetError if it doesn't answer."""
        try:
            tables = inspect(self.engine).get_table_names()
            if "alembic_version" in tables:
                with self.read() as session:
                    return session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return "0001" if {"setting", "device", "deployment"} <= set(tables) else None
        except OperationalError as error:
            raise FleetError(f"The database does not answer: {str(error.orig).strip()}. Check `url` in fleet.toml.") from error
        except DatabaseError:
            return None

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

    def insert(self, model, rows):
        """Add many rows (dicts with all columns) at once."""
        if rows:
            with self.write() as session:
                session.connection().execute(insert(model.__table__), rows)

    def upsert(self, model, rows):
        """Add many rows (dicts with all columns), or replace those that have the same primary key."""
        if not rows:
            return
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(model.__table__)
        keys = [column.name for column in model.__table__.primary_key]
        others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        with self.write() as session:
            session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)

    def change(self, model, rows, *keys):
        """Change many rows: each dict names the columns `keys` and the new values of others."""
        alike = {}
        for row in rows:
            alike.setdefault(tuple(row), []).append({(f"key_{name}" if name in keys else name): value for name, value in row.items()})
        table = model.__table__
        where = [table.c[name] == bindparam(f"key_{name}") for name in keys]
        with self.write() as session:
            for names, values in alike.items():
                changed = {name: bindparam(name) for name in names if name not in keys}
                session.connection().execute(update(table).where(*where).values(changed), values)

    def select(self, statement):
        """The rows of a select of columns, as tuples: for lists of thousands, which objects would slow down."""
        with self.read() as session:
            return session.connection().execute(statement).all()


def chunks(items, size=5000):
    """`items` in lists of at most `size`: databases limit the parameters of a statement."""
    items = list(items)
    return [items[start : start + size] for start in range(0, len(items), size)]
