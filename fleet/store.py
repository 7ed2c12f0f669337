"""The fleet's memory: every query there is, put together from `fleet.sql`, one file per subject."""

from fleet.sql.base import Base
from fleet.sql.care import Care
from fleet.sql.commands import Commands
from fleet.sql.devices import Devices
from fleet.sql.overview import Overview
from fleet.sql.records import Records
from fleet.sql.releases import Releases
from fleet.sql.rollouts import Rollouts
from fleet.sql.tokens import Tokens
from fleet.sql.webhooks import Webhooks


class Store(Devices, Releases, Rollouts, Records, Overview, Tokens, Webhooks, Commands, Care, Base):
    """A database of the fleet at an SQLAlchemy URL; rows are `fleet.model` objects, detached."""


def open_store(home):
    """The `Store` of a `fleet.home.Home`, checked; FleetError if it is not one."""
    return Store(home.database_url()).check()
