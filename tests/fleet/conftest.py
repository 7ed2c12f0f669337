"""Fixtures of the fleet's tests: a site with its service running, once per broker that this machine has."""

import pytest

from tests.fleet.postgres import Postgres, find_programs
from tests.fleet.site import BROKERS, Bed, Site


@pytest.fixture(scope="module", params=BROKERS)
def running(request, tmp_path_factory):
    """A fleet with `fleet up` running, which the tests of a file share."""
    with Site(tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made.init().up()


@pytest.fixture
def bed(running):
    """A group of the shared fleet for one test; its boards are switched off afterwards."""
    yield Bed(running)
    running.rest()


@pytest.fixture(params=BROKERS)
def site(request, tmp_path):
    """A fleet with `fleet up` running, for one test alone: tests that kill something."""
    with Site(tmp_path, request.param) as made:
        yield made.init().up()


@pytest.fixture
def quiet(tmp_path):
    """A fleet whose service does not run."""
    with Site(tmp_path) as made:
        yield made.init()


DATABASES = ["sqlite"] + (["postgresql"] if find_programs() else [])


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, for the whole run."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=DATABASES)
def database(request, tmp_path):
    """The URL of an empty database, once per kind that this machine has."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").url()
    return f"sqlite:///{tmp_path}/fleet.db"


@pytest.fixture
def either(tmp_path, database):
    """A fleet whose service does not run, once per kind of database."""
    with Site(tmp_path) as made:
        yield made.init("--database", database)
