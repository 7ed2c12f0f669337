"""Generated requests, valid and not, against every operation of the OpenAPI document: never a 5xx, always what the document says."""

import contextlib
import os

import pytest
import schemathesis
from fastapi import APIRouter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from fleet.web.app import make_app
from fleet.web.operations import OPERATIONS, PREFIX
from tests.fleet.site import Site

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "6"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, negative_data_rejection]
# Events never end, so the fuzzer would wait for them.
ENDLESS = f"{PREFIX}/events"


@contextlib.contextmanager
def a_fleet(folder):
    """(application, token of an admin) of a fleet with a board."""
    with Site(folder) as site:
        site.init()
        site.ok("device", "add", "a", "--group", "g")
        yield make_app(site.client()), site.client().create_token("fuzzer", "admin")["secret"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(the document, asked without a network, a token)."""
    with a_fleet(tmp_path_factory.mktemp("fuzz")) as (app, secret):
        yield schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app), secret


def attack(operation, secret, mode):
    """Send generated requests of a `GenerationMode` to one operation; raises if an answer is a 5xx or not what the document says."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def run(case):
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

    run()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.method)
def test_no_request_breaks(served, row, mode):
    document, secret = served
    operation = document[PREFIX + row.path][row.verb]
    try:
        attack(operation, secret, mode)
    except Unsatisfiable:
        assert mode == GenerationMode.NEGATIVE and not row.takes and not row.page


def test_a_broken_operation_is_found(tmp_path):
    """The fuzzer bites: an operation that fails is reported."""
    with a_fleet(tmp_path) as (app, secret):
        router = APIRouter()

        @router.get(f"{PREFIX}/broken")
        def broken(number: int = 0):
            raise RuntimeError(number)

        app.include_router(router)
        operation = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)[f"{PREFIX}/broken"]["GET"]
        with pytest.raises(Exception, match="^0"):
            operation.Case(query={"number": 0}).call_and_validate(headers={"Authorization": f"Bearer {secret}"})
