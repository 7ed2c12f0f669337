"""Brings a database to the newest version, by Alembic's migrations in `fleet/sql/migrations`; imported only where it is needed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

FIRST = "0001"


def _config(connection=None):
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest():
    """The version that the newest migration leads to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def upgrade(engine, version="head"):
    """Carry out all migrations up to `version`, in one transaction: a failure leaves the database as it was."""
    with engine.connect().execution_options(fleet_write=True) as connection:
        tables = inspect(connection).get_table_names()
        connection.rollback()
        with connection.begin():
            if "alembic_version" not in tables and "setting" in tables:  # made before there were migrations
                command.stamp(_config(connection), FIRST)
            command.upgrade(_config(connection), version)
