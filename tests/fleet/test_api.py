"""The HTTP API: the same answers as the client in the fleet's folder, and nobody without the right token."""

import inspect
import json
import re

import pytest

from fleet.client import LocalClient
from fleet.errors import Denied, FleetError, Missing, Taken
from fleet.model import LogLine, Reading
from fleet.web.operations import LOCAL, OPERATIONS, PREFIX
from fleet.web.remote import HttpClient
from tests.fleet.api import served
from tests.fleet.site import Site


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The API of a fleet with boards, lines and readings, whose service does not run."""
    with Site(tmp_path_factory.mktemp("api")) as site:
        site.init()
        for number in range(12):
            site.ok("device", "add", f"b{number:02}", "--group", "attic" if number % 2 else "cellar")
        store = site.store()
        store.add_lines([LogLine(device="b01", counter=i, uptime_ms=i, level=1, text=f"line {i}", received=1.0) for i in range(30)])
        store.add_readings([Reading(device="b01", name="t", counter=i, uptime_ms=i, value_int=i, scale=-1, received=1.0) for i in range(5)])
        with served(site) as made:
            yield made


def bearer(api, role):
    """Headers with a token of `role`."""
    return {"Authorization": f"Bearer {api.secret(role)}"}


def test_every_method_of_the_client_is_served_or_said_to_be_local():
    public = {name for name, _ in inspect.getmembers(LocalClient, inspect.isfunction) if not name.startswith("_")}
    served_ = {row.method for row in OPERATIONS}
    assert public == served_ | set(LOCAL)
    assert not served_ & set(LOCAL)


def test_operations_take_what_the_client_takes():
    for row in OPERATIONS:
        taken = inspect.signature(getattr(LocalClient, row.method)).parameters
        assert set(row.takes) <= set(taken), row.method
        needed = {name for name, parameter in taken.items() if parameter.default is inspect.Parameter.empty} - {"self"}
        assert needed <= set(row.takes), row.method


READS = {
    "devices": [(), ("attic",)],
    "device": [("b03",)],
    "latest": [("b03",)],
    "groups": [()],
    "manifest_groups": [("attic",)],
    "keys": [()],
    "root": [()],
    "key_list_blob": [()],
    "service": [()],
    "logs": [(0,), (10, "b01"), (0, None, 7), (0, "b02")],
    "log_start": [(5,), (0,)],
    "readings": [(), (2, "b01", 2)],
    "latest_readings": [()],
    "reading_start": [(3,), (0,), (2, "b01"), (2, "b02")],
    "rollouts": [(), (1,)],
    "modules": [()],
    "audit_log": [(), (3, 2)],
    "audit_start": [(2,), (0,)],
    "identity": [("b05",)],
}


@pytest.mark.parametrize("method", READS)
def test_answers_are_those_of_the_local_client(api, method):
    api.site.client().holder(api.secret("admin"))
    remote = api.client()
    for arguments in READS[method]:
        assert getattr(remote, method)(*arguments) == getattr(api.site.client(), method)(*arguments)


def test_pages_hold_every_board_once(api):
    seen, after = [], ""
    while after is not None:
        _, _, page = api.ask("GET", f"{PREFIX}/devices?limit=5" + (f"&after={after}" if after else ""), headers=bearer(api, "viewer"))
        seen += [row["id"] for row in page["items"]]
        after = page["next"]
    assert seen == [f"b{number:02}" for number in range(12)]


def test_a_page_goes_on_though_its_last_board_was_removed(api):
    _, _, page = api.ask("GET", f"{PREFIX}/devices?limit=3&after=b04x", headers=bearer(api, "viewer"))
    assert [row["id"] for row in page["items"]] == ["b05", "b06", "b07"]


def test_unchanged_answers_are_not_sent_again(api):
    _, headers, _ = api.ask("GET", f"{PREFIX}/groups", headers=bearer(api, "viewer"))
    again = api.ask("GET", f"{PREFIX}/groups", headers={**bearer(api, "viewer"), "If-None-Match": headers["etag"]})
    assert again[0] == 304 and again[2] == b""
    api.site.ok("group", "create", "fresh")
    changed = api.ask("GET", f"{PREFIX}/groups", headers={**bearer(api, "viewer"), "If-None-Match": headers["etag"]})
    assert changed[0] == 200 and "fresh" in [row["name"] for row in changed[2]["items"]]


def test_nobody_without_a_token(api):
    paths = [PREFIX + row.path.format(name="b01", group="attic", number=1, device="b01") for row in OPERATIONS] + [f"{PREFIX}/events"]
    verbs = [row.verb for row in OPERATIONS] + ["GET"]
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": "fleet_session=nonsense"}, {"Authorization": "Basic YTpi"}):
        for verb, path in zip(verbs, paths):
            assert api.ask(verb, path, headers=headers)[0] == 401, (verb, path, headers)


def test_roles_may_what_they_may(api):
    for row in OPERATIONS:
        path = PREFIX + row.path.format(name="nobody", group="nobody", number=999999, device="nobody")
        for role, forbidden in (("viewer", ("operator", "admin")), ("operator", ("admin",))):
            status = api.ask(row.verb, path, body={}, headers=bearer(api, role))[0]
            assert (status == 403) == (row.role in forbidden), (row.method, role, status)


def test_the_audit_log_says_whose_token_it_was(api):
    api.client("operator").add_group("made-by-api")
    assert api.site.client().audit_log(0, 1000)[-1]["actor"] == "token:the-operator"


def test_a_cookie_alone_cannot_change_anything(api):
    status, headers, who = api.ask("POST", f"{PREFIX}/session", {"token": api.secret("operator")})
    cookie = headers["set-cookie"]
    assert status == 200 and who == {"name": "the-operator", "role": "operator"}
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    held = {"Cookie": cookie.split(";")[0]}
    assert api.ask("GET", f"{PREFIX}/devices", headers=held)[0] == 200
    assert api.ask("POST", f"{PREFIX}/groups", {"name": "evil"}, held)[0] == 403
    assert api.ask("POST", f"{PREFIX}/groups", {"name": "good"}, {**held, "X-Fleet-Dashboard": "1"})[0] == 204


def test_errors_come_through_with_their_exit_code(api):
    remote = api.client()
    for kind, code, call in (
        (Missing, 1, lambda: remote.device("nobody")),
        (Taken, 1, lambda: remote.add_device("b01", "attic")),
        (FleetError, 2, lambda: remote.add_device("Ünïcode", "attic")),
        (Denied, 1, lambda: api.client("viewer").remove_device("b01")),
        (Denied, 1, lambda: HttpClient(api.url, "wrong").devices()),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.code == code and caught.value.sentence


def test_damaged_requests_are_told_plainly(api):
    for data in (b"{", b"[]", b"null", b'{"name": 7}', b'{"name": "\\ud800"}', b"\xff\xfe"):
        status, _, body = api.ask("POST", f"{PREFIX}/groups", data=data, headers=bearer(api, "admin"))
        assert status == 422 and set(body) == {"error", "code"}, (data, status, body)
    assert api.ask("GET", f"{PREFIX}/nothing")[0] == 404
    assert api.ask("PATCH", f"{PREFIX}/devices")[0] == 405


BOUNDS = [f"logs?after={1 << 64}", "logs?after=-1", "logs?limit=0", "logs?limit=1001", "logs?device=A", "logs?after=1&after=2", "rollouts?limit=x"]


@pytest.mark.parametrize("query", BOUNDS)
def test_numbers_and_names_out_of_bounds_are_refused(api, query):
    assert api.ask("GET", f"{PREFIX}/{query}", headers=bearer(api, "viewer"))[0] == 422


def test_huge_requests_are_refused(api):
    status, _, body = api.ask("POST", f"{PREFIX}/groups", data=b" " * (13 << 20), headers=bearer(api, "admin"))
    assert (status, body["code"]) == (413, 2)


def test_pages_may_load_nothing_from_elsewhere(api):
    for path in ("/", f"{PREFIX}/openapi.json", "/static/nothing.js"):
        policy = api.ask("GET", path)[1]["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_wrong_addresses_are_told_plainly(api):
    for url in ("ftp://x", "nonsense", "http://"):
        with pytest.raises(FleetError, match="is not the address"):
            HttpClient(url, "x")
    with pytest.raises(FleetError, match="token is needed"):
        HttpClient(api.url)
    with pytest.raises(FleetError, match="cannot be reached"):
        HttpClient("http://127.0.0.1:1", "x").devices()
    assert HttpClient(f"{api.url}/#token={api.secret('viewer')}").groups()


def test_the_command_line_works_from_elsewhere(api, monkeypatch):
    local = api.site.ok("device", "list", "-o", "json").json
    monkeypatch.setenv("FLEET_TOKEN", api.secret("viewer"))
    assert api.site.fleet("--server", api.url, "device", "list", "-o", "json").json == local
    denied = api.site.fleet("--server", api.url, "device", "remove", "b01", "--yes")
    assert denied.code == 1 and "needs the role admin" in denied.err


def test_openapi_names_every_operation(api):
    _, _, spec = api.ask("GET", f"{PREFIX}/openapi.json")
    named = {operation["operationId"] for path in spec["paths"].values() for operation in path.values()}
    assert {row.method for row in OPERATIONS} <= named
    assert json.dumps(spec).count('"x-role"') == len(OPERATIONS)


def test_metrics_are_what_prometheus_reads(api):
    assert api.ask("GET", "/metrics")[0] == 401
    status, headers, raw = api.ask("GET", "/metrics", headers=bearer(api, "viewer"))
    lines = raw.decode().splitlines()
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'fleet_boards{health="new"} 12' in lines and "fleet_service_up 0" in lines
    assert 'fleet_reading{board="b01",name="t"} 0.4' in lines
    sample = re.compile(r'[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? -?[0-9.e+-]+')
    assert all(line.startswith("# ") or sample.fullmatch(line) for line in lines)
