"""`fleet up` with its web server: the link it prints, push through the API while boards are there, events, a killed web server comes back."""

import http.client
import json
import os
import re
import signal
import subprocess
import time

import pytest

from fleet.web.operations import PREFIX
from fleet.web.remote import HttpClient
from tests.fleet.site import Site, wait


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A fleet with `fleet up` and its dashboard running."""
    with Site(tmp_path_factory.mktemp("web")) as made:
        made.init().up("--web-port", "0")
        yield made


@pytest.fixture(scope="module")
def link(site):
    """The link that `fleet up` printed."""
    for line in site._up.stdout:
        found = re.search(r"Dashboard: (http://127\.0\.0\.1:\d+/#token=\S+)", line)
        if found:
            return found[1]
    raise AssertionError("no link")


def test_a_push_from_elsewhere_arrives(site, link, monkeypatch):
    board = site.board("one")
    path = site.module(filler=2000)
    monkeypatch.setenv("FLEET_SERVER", link)
    result = site.fleet("push", path, "--group", "greenhouse", "--key", site.home.release_key, "-o", "json")
    assert result.code == 0, result
    assert [row["state"] for row in result.json["targets"]] == ["confirmed"]
    assert board.payload == path.read_bytes()
    assert site.fleet("status", "-o", "json").json["devices"][0]["desired"]["version"] == "1.0"
    assert site.client().audit_log()[-1]["actor"] in ("token:dashboard", "service")


def test_events_tell_what_happens(site, link):
    client = HttpClient(link)
    connection = http.client.HTTPConnection(client._parts.netloc, timeout=10)
    connection.request("GET", f"{PREFIX}/events", headers={"Authorization": f"Bearer {client._token}"})
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [response.readline() for _ in range(2)][1] == b"event: hello\n"
    site.boards[0].log("over the wire")
    lines = iter(response.readline, b"")
    told = next(json.loads(next(lines)[6:]) for line in lines if line == b"event: logs\n")
    assert told[0]["text"] == "over the wire"
    connection.close()


def test_a_killed_web_server_is_started_again(site, link):
    client = HttpClient(link)
    client.groups()
    found = subprocess.run(["ps", "-ww", "-o", "pid=,args=", "--ppid", str(site._up.pid)], capture_output=True, text=True, check=True).stdout
    pid = next(int(line.split()[0]) for line in found.splitlines() if " serve " in line)
    os.kill(pid, signal.SIGKILL)
    assert wait(client.groups, what="for the web server")
    assert site.running()


def test_the_link_stays_until_its_token_is_revoked(site, link):
    assert HttpClient(link).groups()
    assert (site.home.root / "dashboard.token").stat().st_mode & 0o777 == 0o600
    site.ok("token", "revoke", "dashboard")
    with pytest.raises(Exception, match="valid token"):
        HttpClient(link).groups()


def test_listeners_do_not_hold_the_end_up(site, link):
    secret = site.client().create_token("listener", "viewer")["secret"]
    connection = http.client.HTTPConnection(HttpClient(link)._parts.netloc, timeout=10)
    connection.request("GET", f"{PREFIX}/events", headers={"Authorization": f"Bearer {secret}"})
    assert connection.getresponse().readline()
    start = time.monotonic()
    out = site.down()
    assert "Traceback" not in out and "Stopped." in out, out
    assert time.monotonic() - start < 10
