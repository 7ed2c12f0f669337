"""Webhooks: every event once and in order, signed, tried again until it is taken, by one process of several."""

import hmac
import http.server
import json
import threading
import time

import pytest

from fleet import webhooks
from fleet.postman import Postman
from tests.fleet.site import wait


class Receiver:
    """An HTTP server that notes what it is sent; it answers with what `answers` says, then with 204."""

    def __init__(self):
        self.got, self.answers = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                data = self.rfile.read(int(self.headers["content-length"]))
                status = outer.answers.pop(0) if outer.answers else 204
                outer.got.append((status, dict(self.headers), data))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self):
        """[(event, rollout or subject)] that were taken."""
        return [json.loads(data)["event"] for status, _, data in self.got if status == 204]


@pytest.fixture
def receiver():
    """A `Receiver` for one test."""
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def happen(site, *actions):
    """Let the audit log tell of these actions on rollout 1."""
    for action in actions:
        site.store().audit("service", action, "1")


def test_events_come_signed_in_order_and_once(quiet, receiver):
    happen(quiet, "rollout start")
    secret = bytes.fromhex(quiet.ok("webhook", "add", "ops", receiver.url, "-o", "json").json["secret"])
    happen(quiet, "rollout wave", "device add", "rollout pause", "rollout pause", "rollout done")
    postman = Postman(quiet.client())
    postman.round()
    postman.round()
    assert receiver.events() == ["rollout.wave", "rollout.paused", "rollout.paused", "rollout.done"]
    _, headers, data = receiver.got[0]
    at, given = (part.partition("=")[2] for part in headers["X-Fleet-Signature"].split(","))
    assert given == hmac.digest(secret, at.encode() + b"." + data, "sha256").hex() and abs(int(at) - time.time()) < 60
    assert headers["X-Fleet-Event"] == "rollout.wave" and len({row[1]["X-Fleet-Delivery"] for row in receiver.got}) == 4
    assert quiet.ok("webhook", "list", "-o", "json").json[0]["status"] == "delivered"
    assert secret.hex() not in quiet.ok("webhook", "list", "-o", "json").out
    assert all(secret not in path.read_bytes() for path in quiet.home.root.glob("fleet.db*"))


def test_only_the_events_asked_for(quiet, receiver):
    quiet.ok("webhook", "add", "ops", receiver.url, "--event", "rollout.done")
    happen(quiet, "rollout wave", "rollout done", "rollout wave")
    Postman(quiet.client()).round()
    assert receiver.events() == ["rollout.done"]


def test_what_is_not_taken_is_tried_again_ever_more_rarely_then_given_up(quiet, receiver):
    quiet.ok("webhook", "add", "ops", receiver.url)
    now = [time.time()]
    postman = Postman(quiet.client(), lambda: now[0])
    receiver.answers = [500, 302]
    happen(quiet, "rollout wave", "rollout done")
    for seconds in (0, 4.9, 0.2, 9.9, 0.2):  # tried at once, after 5 s, after 10 s more
        now[0] += seconds
        postman.round()
    assert [row[0] for row in receiver.got] == [500, 302, 204, 204]
    assert receiver.events() == ["rollout.wave", "rollout.done"]
    receiver.answers = [500] * 100
    happen(quiet, "rollout wave")
    for _ in range(100):
        now[0] += webhooks.LONGEST_RETRY_S
        postman.round()
    tries = len(receiver.got) - 4
    assert 20 < tries < 30 and quiet.client().webhooks()[0]["status"] == "gave up: answered 500"


def test_an_address_that_is_not_there_is_told_in_the_list(quiet):
    quiet.ok("webhook", "add", "ops", "http://127.0.0.1:1/")
    happen(quiet, "rollout done")
    Postman(quiet.client()).round()
    row = quiet.client().webhooks()[0]
    assert row["attempts"] == 1 and "cannot be reached" in row["status"]


def test_of_two_postmen_one_delivers(quiet, receiver):
    quiet.ok("webhook", "add", "ops", receiver.url)
    happen(quiet, *["rollout wave", "rollout done"] * 10)
    postmen = [threading.Thread(target=Postman(quiet.client()).round) for _ in range(4)]
    for each in postmen:
        each.start()
    for each in postmen:
        each.join()
    assert receiver.events() == ["rollout.wave", "rollout.done"] * 10


def test_a_dead_postmans_lease_runs_out(quiet, receiver):
    quiet.ok("webhook", "add", "ops", receiver.url)
    happen(quiet, "rollout done")
    assert quiet.client().claim_webhook("ops", time.time(), 60)
    Postman(quiet.client()).round()
    assert receiver.events() == []
    Postman(quiet.client(), lambda: time.time() + 61).round()
    assert receiver.events() == ["rollout.done"]


def test_mistakes_are_told(quiet):
    assert quiet.fleet("webhook", "add", "ops", "ftp://x").code == 2
    assert quiet.fleet("webhook", "add", "-", "http://x").code == 2
    quiet.ok("webhook", "add", "ops", "http://x")
    assert "Remove it first" in quiet.fleet("webhook", "add", "ops", "http://x").err
    quiet.ok("webhook", "remove", "ops")
    assert quiet.fleet("webhook", "remove", "ops").code == 1


def test_a_real_push_is_told_by_the_running_server(tmp_path, receiver):
    from tests.fleet.site import Site

    with Site(tmp_path) as site:
        site.init().up("--web-port", "0")
        site.board("one")
        site.ok("webhook", "add", "ops", receiver.url)
        site.ok("push", site.module(), "--group", "greenhouse")
        wait(lambda: "rollout.done" in receiver.events(), what="for the webhook")
        told = json.loads(receiver.got[-1][2])
        assert told["rollout"]["state"] == "done" and "targets" not in told["rollout"]
