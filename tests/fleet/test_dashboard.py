"""The dashboard in a real browser: what it shows, that it follows, who may do what, and that nothing in it is unsafe or unreadable."""

import json
import time
from pathlib import Path

import pytest

from fleet.model import LogLine, Reading
from fleet.signing import SigningKey
from tests.browser import CHROMIUM, DESKTOP, PHONE, Browser
from tests.fleet.api import served
from tests.fleet.scene import LONG, PAGES, fill
from tests.fleet.site import REPO, Site, wait
from tests.fleet.test_signer import signing

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
BOARDS = 1000


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for the file."""
    made = Browser(tmp_path_factory.mktemp("browser"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A served fleet of a thousand boards in all states."""
    with Site(tmp_path_factory.mktemp("dashboard")) as site:
        site.init()
        fill(site.store(), BOARDS)
        with served(site) as made:
            yield made


@pytest.fixture
def page(api, browser):
    """The browser, logged in as an admin, on the list of boards."""
    browser.size(DESKTOP)
    browser.errors.clear()
    enter(browser, api, "admin")
    yield browser
    assert browser.errors == []


def enter(browser, api, role):
    """Open the dashboard by a link with a token of `role`."""
    browser.open("about:blank")
    browser.open(f"{api.url}/#token={api.secret(role)}")
    browser.see("boards in")


def test_strangers_stay_outside(api, browser):
    browser.size(PHONE)
    browser.open("about:blank")
    browser.send("Network.clearBrowserCookies")
    browser.open(f"{api.url}/")
    browser.see("enter a token")
    browser.type("input[type=password]", "fleet_wrong")
    browser.click("Open the dashboard")
    browser.see("not valid")
    browser.type("input[type=password]", api.secret("viewer"))
    browser.click("Open the dashboard")
    browser.see("1,000 boards in 4 groups")
    assert browser.run("location.href") == f"{api.url}/#/boards" or "token" not in browser.run("location.href")
    assert browser.run("document.cookie") == ""


def test_a_thousand_boards_can_be_searched(page):
    page.see("1,000")
    assert page.run("document.querySelectorAll('tbody tr').length") == 100
    page.click("Show 100 more of 900")
    page.wait("document.querySelectorAll('tbody tr').length === 200")
    page.type("input[type=search]", "very-long")
    page.wait("document.querySelectorAll('tbody tr').length === 1")
    assert LONG in page.text()
    page.type("input[type=search]", "-nothing-is-called-so")
    page.see("No board matches")
    page.click("Show all boards")
    page.wait("document.querySelectorAll('tbody tr').length >= 100")
    page.run("document.querySelectorAll('.tile')[4].click()")
    page.wait("[...document.querySelectorAll('tbody .badge')].every((badge) => badge.innerText === 'Needs attention')")


def test_a_broken_board_says_why(page):
    page.run("location.hash = '#/boards/field-north-1'")
    page.see("Rolled back: the module stopped with a trap (unreachable).")


def test_readings_are_drawn_and_go_on(page, api):
    page.run("location.hash = '#/boards/greenhouse-1'")
    page.wait("document.querySelectorAll('.plot path.line').length === 3")
    store = api.site.store()
    store.add_readings(
        [Reading(device="greenhouse-1", name="temperature", counter=999, uptime_ms=1, value_int=9999, scale=-2, received=time.time())]
    )
    page.see("99.99")


def test_a_board_is_told_to_identify_itself(page, api):
    page.run("location.hash = '#/boards/greenhouse-1'")
    page.click("Identify")
    command = wait(lambda: api.site.store().open_commands(), what="for the command")[0]
    assert (command.device, command.name) == ("greenhouse-1", "identify")
    api.site.store().end_command(command.id, time.time(), "done", detail="the LED blinked")
    page.see("greenhouse-1: identify done: the LED blinked")


def test_logs_arrive_as_text_whatever_a_board_sends(page, api):
    page.run("location.hash = '#/logs'")
    page.see("Live, newest at the end")
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    api.site.store().add_lines([LogLine(device="barn-1", counter=1, uptime_ms=1, level=1, text=hostile, received=time.time())])
    page.see(hostile)
    assert page.run("document.querySelectorAll('.log img, .log script').length") == 0


def test_boards_come_and_go_by_themselves(page, api):
    api.site.client().add_group("later")
    page.see("1,000 boards")
    api.site.ok("device", "add", "aaa-new", "--group", "later")
    page.see("1,001 boards in 5 groups")
    api.site.ok("device", "remove", "aaa-new", "--yes")
    page.see("1,000 boards in 4 groups")


def test_a_rollout_is_steered_by_buttons(page, api):
    page.run("location.hash = '#/rollouts/3'")
    page.see("Wave 2")
    page.click("Pause")
    page.see("Paused: somebody paused it.")
    assert api.site.client().rollout(3)["state"] == "paused"
    page.click("Resume")
    page.wait("document.querySelector('.head .badge').innerText === 'Running'")
    page.run("location.hash = '#/rollouts/2'")
    page.see("Paused: too few boards of the wave confirmed.")
    page.click("Undo")
    page.see("is sent back to the module")
    page.click("Undo", "dialog button")
    wait(lambda: api.site.client().rollout(2)["state"] == "undone", what="for the undoing")


def test_tokens_are_made_and_revoked(page, api):
    page.run("location.hash = '#/access'")
    page.click("Make a token")
    page.type("dialog input", "from-the-page")
    page.click("Make it")
    page.see("it can't be shown again")
    secret = page.run("document.querySelector('dialog code').innerText")
    assert api.site.client().holder(secret)["role"] == "viewer"
    page.click("Done")
    page.click("Revoke from-the-page")
    page.click("Revoke", "dialog button")
    wait(lambda: api.site.client().holder(secret) is None, what="for the revocation")


def test_viewers_see_no_buttons_that_they_may_not_press(api, browser):
    browser.size(DESKTOP)
    enter(browser, api, "viewer")
    for hidden in ("Push", "Access", "Add a board"):
        assert hidden not in browser.text()
    browser.run("location.hash = '#/rollouts/3'")
    browser.see("in progress")
    assert "Pause" not in browser.text() and "Undo" not in browser.text()
    browser.run("location.hash = '#/boards/greenhouse-1'")
    browser.see("Should run")
    assert "Restart" not in browser.text() and "Remove" not in browser.text()


def test_modules_are_inspected(page, api):
    bad = api.site.folder / "bad.wasm"
    bad.write_bytes(b"not wasm at all")
    page.run("location.hash = '#/push'")
    page.see("Drop a module here")
    page.upload("input[type=file]", api.site.module("tiny"))
    page.see("Boards would take it")
    page.see("fleet push tiny.wasm --group")
    page.upload("input[type=file]", bad)
    page.see("Boards would refuse it")
    page.see("does not begin with the bytes")


def test_the_fleets_signer_signs_in_the_dashboard(page, api):
    page.run("location.hash = '#/push'")
    page.see("Drop a module here")
    with signing(api.site):
        page.upload("input[type=file]", api.site.module("tiny"))
        page.see("This fleet has a signer")
        assert 'capabilities = []' in page.run("document.querySelector('textarea').value")
        sensor = REPO / "wasm_modules" / "sensor"
        page.upload("input[type=file]", sensor / "sensor.wasm", sensor / "manifest.toml")
        page.wait("document.querySelector('textarea')?.value.includes('confirm_s = 3')")
        page.upload("input[type=file]", sensor / "sensor.wasm")
        page.wait("document.querySelector('textarea')?.value.includes('\"gpio:*\"')")
        page.click("Sign", "form button")
        page.wait("[...document.querySelectorAll('.badge')].some((badge) => badge.innerText === 'signed by a key of this fleet')")
    assert api.site.client().audit_log()[-1]["action"] == "sign"


def test_a_signed_module_is_pushed_and_a_strangers_is_not(page, api):
    module, stranger = api.site.module("signed"), api.site.folder / "stranger.key"
    SigningKey.generate().save(stranger, None)
    page.run("location.hash = '#/push'")
    for key, words in ((stranger, "not trusted"), (api.site.home.release_key, "signed by a key of this fleet")):
        api.site.ok("sign", module, "--group", "barn", "--key", key)
        page.see("Drop a module here")
        page.upload("input[type=file]", module.with_suffix(".suit"))
        page.wait(f"[...document.querySelectorAll('.badge')].some((badge) => badge.innerText === '{words}')")
        assert page.run("[...document.querySelectorAll('form button')].pop().disabled") is (key == stranger)
    page.click("Push", "form button")
    page.see("signed 1.0")
    page.see("to barn")
    assert api.site.client().rollouts(1)[0]["module"] == "signed"


CHECKS = (Path(__file__).parent / "page_checks.js").read_text()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_readable_named_and_fits(page, dark):
    page.run("document.documentElement.dataset.theme = ''")
    page.run("delete document.documentElement.dataset.theme")
    for shape in (DESKTOP, PHONE):
        page.size(shape, dark)
        for name, where in PAGES.items():
            page.run(f"location.hash = '#/{where}'")
            page.wait("document.querySelectorAll('main h1').length === 1 && !document.querySelector('main').innerText.includes('Loading')")
            time.sleep(0.25)
            found = page.run(CHECKS)
            assert found == {"faint": [], "nameless": [], "wide": found["wide"], "headings": 1, "inline": 0}, (name, shape, found)
            assert found["wide"] <= 0, (name, shape)


def test_the_checks_bite(page):
    page.run("document.querySelector('h1').style.color = '#bbb'; document.body.append(document.createElement('button'))")
    page.run("document.body.lastChild.style.width = '5000px'")
    found = page.run(CHECKS)
    assert found["faint"] and found["nameless"] and found["wide"] > 0


def test_keys_alone_are_enough(page):
    page.run("document.querySelector('.skip').focus()")
    seen = []
    for _ in range(12):
        for kind in ("rawKeyDown", "keyUp"):
            page.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        focused = "document.activeElement"
        seen.append(page.run(f"[({focused}.innerText || {focused}.ariaLabel || '').trim(), getComputedStyle({focused}).outlineStyle]"))
    assert {"Logs", "Push", "Light or dark", "Log out", "Add a board"} <= {text for text, _ in seen}, seen
    assert all(outline != "none" for _, outline in seen), seen


def test_everything_comes_from_the_fleet_itself(page, api):
    urls = page.run("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(urls) > 10 and all(url.startswith(api.url) for url in urls), json.dumps(urls)


def test_tabs_that_nobody_looks_at_leave_their_connection_to_others(page, api):
    for _ in range(8):
        enter(page, api, "admin")
