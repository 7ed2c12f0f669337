"""A fleet as a dashboard may find it, written straight into a store: boards in all states, rollouts, logs, readings. And pictures of it:

    python -m tests.fleet.scene FOLDER [BOARDS]
"""

import math
import sys
import tempfile
import time
from pathlib import Path

from fleet import policy
from fleet.model import Component, Deployment, Device, LogLine, Module, Reading, Report, Rollout, Target
from fleet.model import Service as ServiceRow

GROUPS = ("greenhouse", "cold-store", "barn", "field-north")
LONG = "a-board-with-a-very-long-name-32"
DIGESTS = {"1.4.2": "a" * 64, "1.5.0": "b" * 64}
ROLLOUTS = (("1.4.2", "greenhouse", "done", 90000), ("1.5.0", "barn", "paused", 7200), ("1.5.0", "all", "running", 40))
TEXTS = ("relay on at 43.8", "soil moisture 41.2 %", "pump off", "sensor started", "battery 3.91 V", "frost guard armed")


def fill(store, count=24, now=None):
    """Write the scene with `count` boards; board 3 is broken, 5 asleep, 7 lost, 9 new, the last has the longest name."""
    now = time.time() if now is None else now
    names = [f"{GROUPS[i % len(GROUPS)]}-{i // len(GROUPS) + 1}" for i in range(count - 1)] + [LONG]
    with store.write() as session:
        for version, digest in DIGESTS.items():
            session.add(_module(version, digest, now))
        for i, name in enumerate(names):
            group = GROUPS[i % len(GROUPS)]
            store.add_device(Device(id=name, home_group=group, sealed_key=b"", capabilities=["gpio:*", "adc:26", "clock", "log"], created=now - 1e6))
        session.flush()
        for i, name in enumerate(names):
            _report(session, name, i, now)
        _rollouts(session, names, now)
        session.add(ServiceRow(id="scene", broker="mosquitto on 127.0.0.1:1884", pid=1, started=now, beat=now + 1e6))
        session.add_all(_lines(names, now))
        session.add_all(_readings(names, now))
    return names


def _module(version, digest, now):
    caps = ["adc:26", "gpio:15", "telemetry:*"]
    rest = {"payload": "c" * 64, "payload_size": 990, "kid": "0bf58fd842b6a801", "capabilities": caps, "created": now}
    return Module(digest=digest, size=400, name="sensor", version=version, **rest)


def _report(session, name, i, now):
    state = {5: "sleeping", 7: "lost", 9: "never seen"}.get(i % 40, "ready")
    device = session.get(Device, name)
    device.state, device.seen = state, None if state == "never seen" else now - (4000 if state == "lost" else i % 50)
    session.add(device)
    if state == "never seen":
        return
    numbers = {"seq": 4, "boot_id": "00" * 8, "counter": 7, "boots": 3, "free_heap": 96000 + 400 * i, "min_free_heap": 90000, "abi": 1, "rssi": -58}
    session.add(Report(device=name, received=device.seen, port="rp2", firmware="1.28.0", agent="0.1.0", **numbers))
    broken = i % 40 == 3
    status = "rolled-back" if broken else "downloading" if i % 40 in (11, 13) else "confirmed"
    version = "1.5.0" if i % 3 == 0 and not broken else "1.4.2"
    why = ("trap", "unreachable") if broken else (None, None)
    session.add(Component(device=name, slot=0, state=status, reason=why[0], detail=why[1], name="sensor", version=version))
    session.add(_order(name, version if status != "downloading" else "1.5.0", now))


def _order(name, version, now):
    rest = {"document": "d" * 64, "document_size": 90, "key_list": 1, "window_s": 0, "nonce": b"", "created": now}
    return Deployment(device=name, seq=4, rollout=1, module=DIGESTS[version], **rest)


def _rollouts(session, names, now):
    for number, (version, group, state, age) in enumerate(ROLLOUTS, 1):
        row = Rollout(id=number, module=DIGESTS[version], group=group, state=state, window_s=0, timeout_s=120, actor="mara", created=now - age)
        row.policy, row.opened = policy.plain(policy.read({"waves": ["1", "25%", "100%"]})), now - age
        row.wave, row.reason = {"done": (2, None), "paused": (1, "success"), "running": (1, None)}[state]
        row.ended = now - age + 50 if state == "done" else None
        session.add(row)
        session.flush()
        for i, name in enumerate(names):
            session.add(_target(number, name, i, len(names), row, now))


def _target(number, name, i, count, rollout, now):
    wave = 0 if i == 0 else 1 if i < max(count // 4, 2) else 2
    queued = wave > rollout.wave
    state, reason = ("queued", None) if queued else ("rolled-back", "trap") if i == 3 and number > 1 else ("confirmed", None)
    if rollout.state == "running" and i in (4, 5):
        state = ("downloading", "trial")[i - 4]
    progress = 47 if state == "downloading" else None
    rest = {"state": state, "reason": reason, "progress": progress, "module": rollout.module}
    return Target(rollout=number, device=name, wave=-1 if queued else wave, updated=now - 20, **rest)


def _lines(names, now):
    for i in range(120):
        level = 2 if i % 29 == 28 else 3 if i % 17 == 3 else 1
        text = "error: sensor bus does not answer" if level == 2 else "started sensor 1.5.0" if level == 3 else TEXTS[i % len(TEXTS)]
        yield LogLine(device=names[i % len(names)], counter=i, uptime_ms=1000 * i, level=level, text=text, received=now - 240 + 2 * i)


def _readings(names, now):
    for i in range(200):
        wave = math.sin(i / 14) * 620 + math.sin(i / 3.1) * 60
        for name, value, scale in (("temperature", 2150 + int(wave), -2), ("soil moisture", 410 - int(wave / 9), -1), ("battery", 3910 - i, -3)):
            yield Reading(device=names[0], name=name, counter=i, uptime_ms=1000 * i, value_int=value, scale=scale, received=now - 600 + 3 * i)


PAGES = {name: name for name in ("boards", "rollouts", "logs", "push", "access")}
PAGES |= {"board": "boards/greenhouse-1", "rollout": "rollouts/3", "paused": "rollouts/2"}


def pictures(folder, count):
    """Take a picture of every page at desktop and phone width, in light and dark."""
    from tests.browser import DESKTOP, PHONE, Browser
    from tests.fleet.api import served
    from tests.fleet.site import Site

    with tempfile.TemporaryDirectory() as scratch, Site(Path(scratch)) as site:
        site.init()
        fill(site.store(), count)
        with served(site) as api:
            browser = Browser(scratch)
            try:
                browser.size(DESKTOP)
                browser.open(f"{api.url}/#token={api.secret('admin')}")
                browser.see("Boards")
                for name, where in PAGES.items():
                    for shape, dark in ((DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)):
                        browser.size(shape, dark)
                        browser.run(f"location.hash = '#/{where}'")
                        time.sleep(0.9)
                        browser.picture(folder / f"{name}-{shape[0]}{'-dark' if dark else ''}.png")
                print("\n".join(browser.errors))
            finally:
                browser.close()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    pictures(target, int(sys.argv[2]) if len(sys.argv) > 2 else 24)
