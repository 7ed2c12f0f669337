"""Watches a rollout: the wave that is open, one line or bar per board, a summary and the exit code."""

import sys
import time

import click

from fleet import rollout
from fleet.errors import ERROR, OK, PARTLY, PAUSED, SIGNATURE, TIMEOUT
from fleet.output import for_people
from fleet.words import PAUSES, SIGNATURE_REASONS, explain, step

POLL_S = 0.1
OFFLINE_GRACE_S = 1.0
RESTART_GRACE_S = 15.0
WORK_GRACE_S = 180.0  # an ESP32 that lacks memory for an order restarts for it alone, to make machine code, and to run it
_AT_WORK = ("manifest", "verify", "preflight", "verify-file", "staged", "trial")
_MAY_RESTART = ("sent", "idle", "check", *_AT_WORK)  # the order itself may be what memory lacks for, before a step is told

# How far a board is, in percent, when it enters a step; downloading fills the rest up to verify-file.
_PERCENT = {
    "queued": 0,
    "sent": 2,
    "idle": 4,
    "check": 6,
    "manifest": 8,
    "verify": 12,
    "preflight": 18,
    "downloading": 20,
    "verify-file": 85,
    "staged": 90,
    "trial": 94,
}
_DOWNLOAD_SHARE = 0.65
_NOTHING = "runs nothing, as before"


def percent(target):
    """How far a board of `Client.rollout` is, 0 to 100."""
    if target["final"]:
        return 100
    done = _PERCENT.get(target["state"], 0)
    return done + int(_DOWNLOAD_SHARE * (target["progress"] or 0)) if target["state"] == "downloading" else done


def words(target):
    """What a board is doing, in words."""
    if not target["online"] and not target["final"]:
        return step("restarting" if target["state"] in _AT_WORK else "offline")
    said = step(target["state"]) if target["runs"] or target["state"] != "confirmed" else _NOTHING
    if target["final"] and target["reason"]:
        return f"{said}: {explain(target['reason'], target['detail'])} [{target['reason']}]"
    return said


class Patience:
    """Decides which boards are worth waiting for: a board that just went away may be restarting."""

    def __init__(self, now):
        self._until = {}
        self._start = now

    def waits_for(self, target, now):
        """Whether the board may still move: it has not ended, and is online or was so a moment ago."""
        device = target["device"]
        if target["online"]:
            self._until[device] = now + (WORK_GRACE_S if target["state"] in _MAY_RESTART else RESTART_GRACE_S)
        if target["final"]:
            return False
        return target["state"] == "queued" or now < self._until.get(device, self._start + OFFLINE_GRACE_S)


def follow(client, number, view):
    """Show the rollout in `view` until it has ended, is paused, or no board is worth waiting for; returns it."""
    patience = Patience(time.monotonic())
    while True:
        start = time.monotonic()
        found, now = client.rollout(number), time.monotonic()
        view.show(found)
        waiting = [patience.waits_for(target, now) for target in found["targets"]]
        at_work = any(target["online"] and not target["final"] and target["wave"] >= 0 for target in found["targets"])
        if found["state"] not in ("running", "paused") or (found["state"] == "paused" and not at_work) or not any(waiting):
            return found
        time.sleep(max(POLL_S, 4 * (now - start)))


def exit_code(found):
    """The exit code for how a rollout stands."""
    targets = found["targets"]
    good = [target for target in targets if target["state"] == rollout.CONFIRMED]
    bad = [target for target in targets if target["final"] and target["state"] != rollout.CONFIRMED]
    if bad and not good and all(target["reason"] in SIGNATURE_REASONS for target in bad):
        return SIGNATURE
    if found["state"] == "paused":
        return PAUSED
    if any(target["online"] and not target["final"] for target in targets) or any(target["state"] == rollout.TIMEOUT for target in bad):
        return TIMEOUT
    if not bad:
        return OK
    return PARTLY if good else ERROR


def summary(found):
    """How many boards run the module, refused it, wait; and why a paused rollout stopped."""
    targets, counts = found["targets"], {}
    for target in targets:
        counts[_kind(target)] = counts.get(_kind(target), 0) + 1
    text = f"{len(targets)} board{'s' if len(targets) != 1 else ''}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) + "."
    if found["state"] == "paused":
        text += f"\nRollout {found['id']} is paused: {PAUSES.get(found['reason'], found['reason'])}."
        text += f" `fleet rollout resume {found['id']}` goes on, `fleet rollout undo {found['id']}` takes it back."
    return text


def _kind(target):
    if target["final"]:
        return target["state"]
    if target["wave"] < 0 and target["online"]:
        return "waiting for their wave"
    return "unfinished" if target["online"] else "offline, queued"


def wave_line(found):
    """Which wave is open, in words, or None where there is only one."""
    steps = [step for step in found["steps"] if step["size"]]
    if len(steps) < 2 or found["state"] != "running":
        return None
    place = sum(step["wave"] <= found["wave"] for step in steps)
    size = next((step["size"] for step in steps if step["wave"] == found["wave"]), 0)
    return f"wave {place} of {len(steps)}: {size} board{'s' if size != 1 else ''}" if size else None


class LineView:
    """For pipes and files: one line whenever a board enters another step."""

    def __init__(self):
        self._shown = {}

    def show(self, found):
        """Print the wave, where it is another, and the boards that have changed."""
        line = wave_line(found)
        if line and self._shown.get(None) != line:
            self._shown[None] = line
            click.echo(f"-- {line}")
        for target in found["targets"]:
            said = words(target)
            if self._shown.get(target["device"]) != said:
                self._shown[target["device"]] = said
                click.echo(f"{target['device']}  {said}")

    def close(self):
        """Nothing is left open."""


class QuietView(LineView):
    """For programs: shows nothing."""

    def show(self, found):
        """Nothing is shown before the end."""


class BarView:
    """For terminals: a progress bar per board."""

    def __init__(self):
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(TextColumn("{task.fields[device]}"), BarColumn(), TextColumn("{task.description}", markup=False))
        self._tasks = {}
        self._progress.start()

    def show(self, found):
        """Move the bars."""
        for target in found["targets"]:
            device = target["device"]
            if device not in self._tasks:
                self._tasks[device] = self._progress.add_task("", device=device, total=100)
            self._progress.update(self._tasks[device], completed=percent(target), description=words(target))

    def close(self):
        """Leave the bars as they are and give the terminal back."""
        self._progress.stop()


def make_view(output):
    """The view for this output: quiet for programs, bars on a terminal, lines otherwise."""
    if not for_people(output):
        return QuietView()
    return BarView() if sys.stdout.isatty() else LineView()
