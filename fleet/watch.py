"""Watches a rollout for `fleet push`: one line or bar per board, a summary and the exit code."""

import sys
import time

import click

from fleet.errors import ERROR, OK, PARTLY, SIGNATURE, TIMEOUT
from fleet.words import SIGNATURE_REASONS, explain, step

POLL_S = 0.1
OFFLINE_GRACE_S = 1.0
RESTART_GRACE_S = 15.0

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


def percent(target):
    """How far a board of `Client.rollout` is, 0 to 100."""
    if target["final"]:
        return 100
    done = _PERCENT.get(target["state"], 0)
    return done + int(_DOWNLOAD_SHARE * (target["progress"] or 0)) if target["state"] == "downloading" else done


def words(target):
    """What a board is doing, in words."""
    if not target["online"] and not target["final"]:
        return step("offline")
    said = step(target["state"])
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
            self._until[device] = now + RESTART_GRACE_S
        if target["final"]:
            return False
        return target["state"] == "queued" or now < self._until.get(device, self._start + OFFLINE_GRACE_S)


def follow(client, number, timeout_s, view):
    """Show the rollout in `view` until no board is worth waiting for or `timeout_s` is over; returns its targets."""
    start = time.monotonic()
    patience = Patience(start)
    while True:
        targets, now = client.rollout(number)["targets"], time.monotonic()
        view.show(targets)
        if not any([patience.waits_for(target, now) for target in targets]) or now > start + timeout_s:
            return targets
        time.sleep(POLL_S)


def exit_code(targets):
    """The exit code for how a rollout ended (or did not)."""
    good = [target for target in targets if target["state"] == "confirmed"]
    bad = [target for target in targets if target["final"] and target["state"] != "confirmed"]
    if any(target["online"] and not target["final"] for target in targets) or any(target["state"] == "timeout" for target in bad):
        return TIMEOUT
    if not bad:
        return OK
    if good:
        return PARTLY
    return SIGNATURE if all(target["reason"] in SIGNATURE_REASONS for target in bad) else ERROR


def summary(targets):
    """One sentence: how many boards run the module, refused it, wait."""
    counts = {}
    for target in targets:
        counts[_kind(target)] = counts.get(_kind(target), 0) + 1
    return f"{len(targets)} board{'s' if len(targets) != 1 else ''}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) + "."


def _kind(target):
    if target["final"]:
        return target["state"]
    return "unfinished" if target["online"] else "offline, queued"


class LineView:
    """For pipes and files: one line whenever a board enters another step."""

    def __init__(self):
        self._shown = {}

    def show(self, targets):
        """Print the boards that have changed."""
        for target in targets:
            said = words(target)
            if self._shown.get(target["device"]) != said:
                self._shown[target["device"]] = said
                click.echo(f"{target['device']}  {said}")

    def close(self):
        """Nothing is left open."""


class QuietView(LineView):
    """For JSON: shows nothing."""

    def show(self, targets):
        """Nothing is shown before the end."""


class BarView:
    """For terminals: a progress bar per board."""

    def __init__(self):
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(TextColumn("{task.fields[device]}"), BarColumn(), TextColumn("{task.description}", markup=False))
        self._tasks = {}
        self._progress.start()

    def show(self, targets):
        """Move the bars."""
        for target in targets:
            device = target["device"]
            if device not in self._tasks:
                self._tasks[device] = self._progress.add_task("", device=device, total=100)
            self._progress.update(self._tasks[device], completed=percent(target), description=words(target))

    def close(self):
        """Leave the bars as they are and give the terminal back."""
        self._progress.stop()


def make_view(output):
    """The view for this output: quiet for JSON, bars on a terminal, lines otherwise."""
    if output == "json":
        return QuietView()
    return BarView() if sys.stdout.isatty() else LineView()
