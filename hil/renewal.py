"""The agent replaced over the air on a board, by `fleet agent push` of other sources: a new version is confirmed, one that dies is undone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from hil.story import GROUP, ROOT, Failed, Story, wait

HEALTH, BOOT = "device/mpwasm/agent/health.py", "device/mpwasm/agent/boot.py"
HALVES = ("device", "fleet", "firmware")
AGENT_S = 5400  # wall time; a busy machine


class Renewal(Story):
    """The story up to a module that runs, then the agent's own updates."""

    def __init__(self, target):
        super().__init__(target, "hil-renewal")

    def sources(self, version, bad=False):
        """A checkout of another version of the agent; with `bad` one that dies when it has counted its boot."""
        folder = Path(self.home) / f"sources-{version}"
        for name in HALVES:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.change(folder / HEALTH, 'AGENT_VERSION = "', f'AGENT_VERSION = "{version}" or "')
        if bad:
            self.change(folder / BOOT, "    store.tidy()\n", "    raise ValueError\n")
        return folder

    def change(self, path, old, new):
        """Edit one place of a file."""
        text = path.read_text()
        if text.count(old) != 1:
            raise Failed(f"{path.name} has no such place: {old}")
        path.write_text(text.replace(old, new))

    def push_agent(self, version, bad=False):
        """`fleet agent push` of that version's sources: (how it ended, the version that runs then)."""
        begun, boots = self.target.seconds(), self.device()["report"]["boots"]
        options = ["--key", f"{self.home}/keys/ops.key", "--version", version, "--confirm", "5", "--timeout", str(AGENT_S), "--no-watch"]
        command = [sys.executable, "-m", "fleet", "--home", self.home, "agent", "push", "--group", GROUP, *options]
        folder = self.sources(version, bad)
        subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": f"{folder}:{folder}/device"}, check=True, capture_output=True)
        ended = wait(f"agent {version}", AGENT_S, self.judged)
        row = wait("the module", AGENT_S, lambda: (row := self.device())["state"] == "ready" and row["status"] == "confirmed" and row)
        runs, boots = row["report"]["agent"], row["report"]["boots"] - boots
        self.say(f"agent {version}: {ended}; {runs} runs, {boots} boots later, {row['free_heap']} B of heap free, sensor {row['executor']}")
        self.figures[f"agent {version}"] = f"{ended} {self.target.seconds() - begun:.0f} s of the board's time after its push"
        return ended, runs

    def judged(self):
        """How the newest rollout ended, once it has."""
        number = max(row["id"] for row in self._client.rollouts())
        target = self._client.rollout(number)["targets"][0]
        return target["final"] and target["state"]

    def run(self, whole=True):
        """Provisioned, a module, a new agent, a bad one."""
        self.settle()
        self.fleet("key", "create", "ops", "--agent", "--group", GROUP, "--insecure-plain-key")
        self.provision()
        self.push()
        for version, bad, wanted in (("0.9.1", False, ("confirmed", "0.9.1")), ("0.9.2", True, ("rolled-back", "0.9.1"))):
            found = self.push_agent(version, bad)
            if found != wanted:
                raise Failed(f"agent {version} is {found[0]}, {found[1]} runs")
