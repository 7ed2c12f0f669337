"""`fleet push --aot`: which machine code goes with a module, what is signed, stored and sent."""

from hashlib import sha256

import pytest

from fleet import ahead, bundle, deploy
from fleet.errors import FleetError
from fleet.model import Report
from fleet.web.operations import SignedPackage
from fleet.web.tools import inspection
from mpwasm.native.container import ENGINE
from mpwasm.native.targets import ARMV6M, RV32IMC, THUMB2, XTENSA_FPU, XTENSAWIN
from mpwasm.wire import envelope
from mpwasm.wire.manifest import Manifest
from tests.fleet.site import REPO

SENSOR = REPO / "wasm_modules" / "sensor" / "sensor.wasm"


def board(site, name, port, group="greenhouse"):
    """A board that has reported from `port`, or never where that is None."""
    site.ok("device", "add", name, "--group", group)
    if port:
        row = Report(device=name, received=1.0, port=port, seq=0, boot_id="00" * 8, counter=1, boots=1)
        site.store().put_report(row, [])


def pushed(site):
    """(manifest, module's bytes, {architecture: image}) of the newest module, read from the store."""
    row = site.store().newest_modules()[0]
    manifest = Manifest.parse(envelope.open_envelope(site.store().blob(row.digest)).body)
    return manifest, site.store().blob(row.payload), {each: site.store().blob(digest.hex()) for each, _, digest in ahead.listed(manifest)}


def test_a_mixed_group_gets_one_manifest_with_an_image_for_each_kind(quiet):
    for name, port in (("pico", "rp2"), ("pico2", "rp2"), ("esp", "esp32"), ("sim", "webassembly")):
        board(quiet, name, port)
    out = quiet.ok("push", SENSOR, "--group", "greenhouse", "--aot").out
    manifest, module, images = pushed(quiet)
    assert module == SENSOR.read_bytes() and manifest.digest == sha256(module).digest()
    assert images == {each: ahead.compiled(module, each) for each in (ARMV6M, THUMB2, XTENSAWIN, RV32IMC, XTENSA_FPU)}
    assert manifest.image(RV32IMC, 3, ENGINE) == (len(images[RV32IMC]), sha256(images[RV32IMC]).digest())
    assert f"compiled ahead for Cortex-M0 ({len(images[ARMV6M])} bytes), Xtensa" in out
    again = quiet.ok("push", SENSOR, "--group", "greenhouse", "--aot").out
    assert "Nothing to do" in again


def test_only_what_the_group_needs_is_compiled(quiet):
    board(quiet, "pico", "rp2")
    board(quiet, "sim", "webassembly", "sims")
    quiet.ok("push", SENSOR, "--group", "greenhouse", "--aot")
    assert list(pushed(quiet)[2]) == [ARMV6M, THUMB2]
    assert "runs machine code" in quiet.fleet("push", SENSOR, "--group", "sims", "--aot").err
    assert quiet.fleet("push", SENSOR, "--group", "greenhouse", "--aot", "--no-native").code == 2
    board(quiet, "new", None, "unknown")
    quiet.ok("push", SENSOR, "--group", "unknown", "--aot")
    assert len(pushed(quiet)[2]) == 5


def test_signed_elsewhere_with_images(quiet):
    quiet.ok("device", "add", "one", "--group", "attic")
    target = quiet.folder / "sensor.suit"
    quiet.ok("sign", SENSOR, "--group", "attic", "--key", quiet.home.release_key, "--aot", "--file", target)
    quiet.ok("push", target, "--group", "attic")
    assert pushed(quiet)[1] == SENSOR.read_bytes() and len(pushed(quiet)[2]) == 5
    package = bundle.unpack(target.read_bytes(), "sensor.suit")
    for bad in (package.payload[:-1], package.payload + b"\0", package.payload[:-1] + b"\1", package.payload[: package.manifest.size]):
        with pytest.raises(FleetError, match="not the one"):
            deploy.read_package(package.envelope, bad)


def test_the_desired_state_may_ask_for_it(quiet):
    board(quiet, "pico", "rp2")
    path = quiet.folder / "fleet.yaml"
    path.write_text(f"groups: {{greenhouse: {{module: {SENSOR}, aot: true}}}}\n")
    assert quiet.ok("apply", "-f", path).out == f"~ greenhouse runs {SENSOR}\n"
    assert list(pushed(quiet)[2]) == [ARMV6M, THUMB2]
    assert quiet.ok("diff", "-f", path).out == "The fleet is as the file says.\n"


def test_the_dashboard_takes_a_package_with_images(quiet):
    target = quiet.folder / "sensor.suit"
    quiet.ok("device", "add", "one", "--group", "attic")
    quiet.ok("sign", SENSOR, "--group", "attic", "--key", quiet.home.release_key, "--aot", "--file", target)
    found = inspection(quiet.client(), target.read_bytes(), "sensor.suit")
    assert found.trust is None and found.report["accepted"] and found.report["bytes"] == 990
    sealed = SignedPackage(**found.package.model_dump())
    quiet.client().push(deploy.read_package(sealed.envelope, sealed.payload), "attic")
    assert len(pushed(quiet)[2]) == 5


def test_a_module_that_boards_lack_something_for_is_refused_here(quiet):
    board(quiet, "pico", "rp2")
    # (module (import "env" "fly" (func)))
    path = quiet.folder / "fly.wasm"
    path.write_bytes(b"\0asm\1\0\0\0\1\4\1\x60\0\0\2\x0b\1\3env\3fly\0\0")
    result = quiet.fleet("push", path, "--group", "greenhouse", "--aot")
    assert result.code == 1 and "env.fly" in result.err
