"""Generated requests, valid and not, against every operation of the OpenAPI document: never a 5xx, always what the document says.

SCHEMATHESIS_EXAMPLES=100 sends a hundred of each kind to each operation (about a minute).
"""

import base64
import contextlib
import os

import pytest
import schemathesis
from fastapi import APIRouter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from fleet import bundle
from fleet.web.app import make_app
from fleet.web.operations import PREFIX
from tests.fleet.conftest import DATABASES
from tests.fleet.site import Site
from tests.fleet.test_signer import signing

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, negative_data_rejection]
# Events never end, so the fuzzer would wait for them.
ENDLESS = f"{PREFIX}/events"


# The operations of the document: [(path, verb, id)].
DOCUMENTED = [
    (path, verb.upper(), row["operationId"])
    for path, rows in make_app(None).openapi()["paths"].items()
    for verb, row in rows.items()
    if path != ENDLESS
]


@contextlib.contextmanager
def a_fleet(folder, *options):
    """(application, token of an admin, {parameter: value}) of a fleet where board, group, token and webhook are called a.

    The values are of things that are there, so that requests come further than to "there is no such thing".
    """
    with Site(folder) as site:
        site.init(*options)
        site.ok("device", "add", "a", "--group", "a")
        signed = site.module("a").with_suffix(".suit")
        site.ok("sign", signed.with_suffix(".wasm"), "--group", "a", "--key", site.home.release_key)
        site.ok("push", signed, "--group", "a")
        client = site.client()
        client.add_webhook("a", "http://127.0.0.1:1/")
        client.create_token("a", "viewer")
        client.send_command("a", "identify")
        package = bundle.unpack(signed.read_bytes(), signed.name)
        sealed = {part: base64.b64encode(getattr(package, part)).decode() for part in ("envelope", "payload")}
        module = base64.b64encode(signed.with_suffix(".wasm").read_bytes()).decode()
        known = {"name": "a", "device": "a", "group": "a", "number": 1, "devices": ["a"], "package": sealed, "module": module}
        with signing(site):
            yield make_app(client), client.create_token("fuzzer", "admin")["secret"], known


@pytest.fixture(scope="module", params=DATABASES)
def served(request, tmp_path_factory):
    """(the document, asked without a network, a token, what is there), once per kind of database."""
    options = ("--database", request.getfixturevalue("postgres").url()) if request.param == "postgresql" else ()
    with a_fleet(tmp_path_factory.mktemp("fuzz"), *options) as (app, secret, known):
        yield schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app), secret, known


def attack(operation, secret, mode, known):
    """Send generated requests of a `GenerationMode` to one operation; raises if an answer is a 5xx or not what the document says."""
    there = known if mode == GenerationMode.POSITIVE else {}

    @given(case=operation.as_strategy(generation_mode=mode), use=st.sets(st.sampled_from(sorted(known))))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def run(case, use):
        for given_values in (case.path_parameters, case.query, case.body):
            if isinstance(given_values, dict):
                given_values.update({name: there[name] for name in use if name in there and name in given_values})
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

    run()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("path, verb, name", DOCUMENTED, ids=lambda value: value if value.isidentifier() else "")
def test_no_request_breaks(served, path, verb, name, mode):
    document, secret, known = served
    operation = document[path][verb]
    try:
        attack(operation, secret, mode, known)
    except Unsatisfiable:
        assert mode == GenerationMode.NEGATIVE and not operation.definition.raw.get("parameters") and "requestBody" not in operation.definition.raw


def test_a_broken_operation_is_found(tmp_path):
    """The fuzzer bites: an operation that fails is reported."""
    with a_fleet(tmp_path) as (app, secret, _):
        router = APIRouter()

        @router.get(f"{PREFIX}/broken")
        def broken(number: int = 0):
            raise RuntimeError(number)

        app.include_router(router)
        operation = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)[f"{PREFIX}/broken"]["GET"]
        with pytest.raises(Exception, match="^0"):
            operation.Case(query={"number": 0}).call_and_validate(headers={"Authorization": f"Bearer {secret}"})
