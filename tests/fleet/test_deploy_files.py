"""The files of deploy/: the unit by systemd's own check, container and compose file against each other. No container is built or run here."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from fleet.home import Home
from tests.fleet.site import REPO

UNIT = (REPO / "deploy" / "fleet.service").read_text()
CONTAINER = (REPO / "deploy" / "Containerfile").read_text()
COMPOSE = yaml.safe_load((REPO / "deploy" / "compose.yaml").read_text())


def verified(folder, unit):
    """What `systemd-analyze verify` has against a unit, the program put where this machine has one."""
    path = folder / "fleet.service"
    path.write_text(unit.replace("/opt/wasmfleet/bin/fleet", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False, timeout=60)
    return "\n".join(line for line in done.stderr.splitlines() if "fleet.service" in line)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_unit(tmp_path):
    assert verified(tmp_path, UNIT) == ""
    assert "Unknown key" in verified(tmp_path, UNIT.replace("NoNewPrivileges", "NoNewPrivilege"))


def test_the_unit_may_write_where_the_fleet_is():
    home = re.search(r"WASMFLEET_HOME=(\S+)", UNIT)[1]
    assert home == "/var/lib/" + re.search(r"StateDirectory=(\S+)", UNIT)[1]
    assert "ProtectSystem=strict" in UNIT  # so there is no other place that it may write to


def test_container_and_compose_file_agree(tmp_path):
    fleet, database = COMPOSE["services"]["fleet"], COMPOSE["services"]["postgres"]
    home = re.search(r"WASMFLEET_HOME=(\S+)", CONTAINER)[1]
    assert f"VOLUME {home}" in CONTAINER and fleet["volumes"] == [f"fleet:{home}"]
    ports = re.search(r"EXPOSE (.*)", CONTAINER)[1].split()
    assert [row.rpartition(":")[2] for row in fleet["ports"]] == ports
    made = Home(tmp_path)
    made.create(web_listen="0.0.0.0")
    assert [str(made.settings()[table]["port"]) for table in ("broker", "web")] == ports and made.settings()["web"]["listen"] == "0.0.0.0"
    assert (REPO / "deploy" / fleet["build"]["context"] / fleet["build"]["dockerfile"]).read_text() == CONTAINER
    assert set(fleet["depends_on"]) <= set(COMPOSE["services"]) and "healthcheck" in database
    assert {row.partition(":")[0] for service in (fleet, database) for row in service["volumes"]} == set(COMPOSE["volumes"])


def test_the_container_copies_what_its_commands_need():
    """`COPY . /src`, then pip on files below it: they are in the repository."""
    assert "COPY . /src" in CONTAINER
    for path in re.findall(r"/src/(\S+)", CONTAINER):
        assert (REPO / path).exists()
