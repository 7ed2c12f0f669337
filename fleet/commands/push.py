"""`fleet push`: sign a module and send it to boards, wave by wave."""

import contextlib
from pathlib import Path

import click

from fleet.completion import GROUP
from fleet.errors import OK, TIMEOUT
from fleet.output import emit, for_people, output_option

# Options that say how a rollout goes, in the names of `fleet.policy`; shared with `fleet rollout`'s help.
PLAN = (
    click.option("--waves", help="Growing totals, as 1,5%,25%,100% (the default); 100% is all at once."),
    click.option("--success", type=float, help="Share of a wave's boards that must confirm before the next (default 0.9)."),
    click.option("--soak", "soak_s", type=float, help="Seconds to wait after a wave before the next (default 0)."),
    click.option("--max-failures", type=int, help="Pause after more failures than this, in all waves together."),
    click.option("--rate", type=int, help="Boards per minute, at most."),
    click.option("--window", "windows", multiple=True, help="When orders may go out, as 'mon-fri 22:00-06:00 Europe/Berlin'; may be repeated."),
    click.option("--timeout", "timeout_s", type=float, help="Seconds that a board may take (default 120)."),
    click.option("--wave-timeout", "wave_timeout_s", type=float, help="Seconds that a wave may take (default 7 days)."),
)


def plan_options(command):
    """Add `PLAN`; the command gets them by name."""
    for option in reversed(PLAN):
        command = option(command)
    return command


def plan_of(options):
    """The plain data for `fleet.policy` of the options that were given."""
    found = {name: value for name, value in options.items() if value not in (None, ())}
    if "waves" in found:
        found["waves"] = found["waves"].split(",")
    if "windows" in found:
        found["windows"] = list(found["windows"])
    return found


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--group", "-g", type=GROUP, help="Group of boards to push to.")
@click.option("--where", help="Filter that boards must meet, such as 'label.site=north and board=pico_w'.")
@click.option("--name", help="Name of the module (default: from manifest.toml, else the file's).")
@click.option("--version", help="Version of the module (default: from manifest.toml, else 0).")
@click.option("--key", "key_path", type=click.Path(dir_okay=False, path_type=Path), help="Signing key (default: the fleet's release key).")
@click.option("--allow-untrusted-key", is_flag=True, help="Push although boards do not trust the key: to see them refuse.")
@click.option("--no-native", is_flag=True, help="Run it by the plain executor also on boards that could run machine code.")
@click.option("--aot", is_flag=True, help="Compile it here, for every kind of board there is among them, instead of on each board.")
@click.option("--again", is_flag=True, help="Push also to boards that were told to run this module already.")
@click.option("--no-watch", is_flag=True, help="Do not wait for the boards.")
@plan_options
@output_option
@click.pass_obj
def command(context, file, group, where, name, version, key_path, allow_untrusted_key, no_native, aot, again, no_watch, output, **plan):
    """Sign the WebAssembly module FILE and send it to boards, wave by wave. A file of `fleet sign` is signed already.

    The first board tries it alone; too many failures pause the rollout. A manifest.toml beside FILE says what it may use. Ctrl-C stops
    watching; the rollout goes on.

    Exit codes: 0 all boards run it, 1 error or none does, 3 only some do, 4 paused by itself, 5 not finished (in time, or you stopped
    watching), 6 signature not trusted.
    """
    if not group and not where:
        raise click.UsageError("Say which boards: --group NAME or --where FILTER.")
    client = context.client
    package = _package(context, file, group, where, (name, version, 0 if no_native else None), aot, key_path, allow_untrusted_key)
    started = client.push(package, group, None, again, allow_untrusted_key, plan_of(plan), where)
    report_push(client, package, started, no_watch, output)


def report_push(client, package, started, no_watch, output):
    """Say what was pushed, watch it, and end the command with the exit code that tells how it went."""
    say = click.echo if for_people(output) else silent
    manifest = package.manifest
    say(f"{manifest.name} {manifest.version}, {manifest.size} bytes, signed by {package.kid}")
    _tell_ahead(manifest, say)
    _tell_unchanged(client, started["unchanged"], manifest, say)
    found, code = _follow(client, started["rollout"], no_watch, output, say)
    if not for_people(output):
        told = {"state": found["state"], "reason": found["reason"], "targets": found["targets"]} if found else {"targets": []}
        emit({**started, "module": manifest.name, "version": manifest.version, "digest": package.digest, **told}, output, None)
    click.get_current_context().exit(code)


def _package(context, file, group, where, told, aot, key_path, allow_untrusted_key):
    from fleet import ahead, bundle, deploy

    data = file.read_bytes() if file.exists() else b""
    if bundle.is_bundle(data):
        if aot or any(each is not None for each in (*told, key_path)):
            raise click.UsageError(f"{file} is signed already: --name, --version, --no-native, --aot and --key would change nothing.")
        return bundle.unpack(data, file.name)
    manifest, payload = deploy.make_manifest(file, context.client.manifest_groups(group, where), *told)
    if aot:
        payload = ahead.add(manifest, payload, ahead.architectures(context.client.devices(group, where)))
    key = load_key(key_path or context.home.release_key)
    if not allow_untrusted_key:
        deploy.check_trust(context.client.key_list(), key, manifest)
    return deploy.package(manifest, payload, key)


def load_key(path):
    """The signing key in `path`, asking for its passphrase if $WASMFLEET_PASSPHRASE is not set."""
    from fleet import passphrase, signing

    return signing.SigningKey.load(path, lambda: passphrase.of_key(path))


def silent(_text):
    """Say nothing: the output is for a program."""


def _tell_ahead(manifest, say):
    """Which machine code goes with a module."""
    from fleet import ahead

    made = ", ".join(f"{ahead.NAMES.get(architecture, architecture)} ({size} bytes)" for architecture, size, _ in ahead.listed(manifest))
    if made:
        say(f"compiled ahead for {made}")


def _tell_unchanged(client, boards, manifest, say):
    if not boards:
        return
    say(f"Nothing to do for {', '.join(boards)}: told to run this very module already.")
    for board in boards:
        last = client.latest(board)
        if last and last["state"] in ("refused", "rolled-back", "failed"):
            say(f"{board} did not take {manifest.name} {manifest.version} then ({last['reason']}); --again makes it try again.")


def _follow(client, number, no_watch, output, say):
    """Watch the rollout; (the rollout as `Client.rollout` or None, exit code)."""
    if number is None:
        return None, OK
    if client.service() is None:
        say("The service is not running, so the push is queued. It starts when `fleet up` does.")
        return client.rollout(number), OK
    if no_watch:
        say(f"Rollout {number} has started. `fleet rollout status {number} --watch` shows how it goes.")
        return client.rollout(number), OK
    return watch_rollout(client, number, output, say)


def watch_rollout(client, number, output, say):
    """Show a rollout until it is done, paused or waits for boards that are away; (the rollout, exit code). Ctrl-C stops watching only."""
    from fleet import watch

    try:
        with contextlib.closing(watch.make_view(output)) as view:
            found = watch.follow(client, number, view)
    except KeyboardInterrupt:
        click.echo(f"\nNot watching any more; rollout {number} goes on. `fleet rollout status {number} --watch` shows it.", err=True)
        click.get_current_context().exit(TIMEOUT)
    say(watch.summary(found))
    return found, watch.exit_code(found)
