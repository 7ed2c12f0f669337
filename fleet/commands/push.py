"""`fleet push`: sign a module and send it to a group."""

import contextlib
from pathlib import Path

import click

from fleet.errors import OK, TIMEOUT
from fleet.output import emit, output_option

DEFAULT_TIMEOUT_S = 120


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--group", "-g", required=True, help="Group of boards to push to.")
@click.option("--name", help="Name of the module (default: from manifest.toml, else the file's).")
@click.option("--version", help="Version of the module (default: from manifest.toml, else 0).")
@click.option("--key", "key_path", type=click.Path(dir_okay=False, path_type=Path), help="Signing key (default: the fleet's release key).")
@click.option("--allow-untrusted-key", is_flag=True, help="Push although boards do not trust the key: to see them refuse.")
@click.option("--again", is_flag=True, help="Push also to boards that were told to run this module already.")
@click.option("--no-watch", is_flag=True, help="Do not wait for the boards.")
@click.option("--timeout", "timeout_s", type=click.IntRange(1), default=DEFAULT_TIMEOUT_S, show_default=True, help="Seconds to wait for a board.")
@output_option
@click.pass_obj
def command(context, file, group, name, version, key_path, allow_untrusted_key, again, no_watch, timeout_s, output):
    """Sign the WebAssembly module FILE and send it to a group, then watch the boards take it. A file of `fleet sign` is signed already.

    A manifest.toml beside FILE says what it may use. Ctrl-C stops watching; the rollout goes on.

    Exit codes: 0 all boards run it, 1 error or none does, 3 only some do, 5 not finished (in time, or you stopped watching), 6 signature not trusted.
    """
    client = context.client
    package = _package(context, file, group, name, version, key_path, allow_untrusted_key)
    started = client.push(package, group, timeout_s, again, allow_untrusted_key)
    say = _silent if output == "json" else click.echo
    manifest = package.manifest
    say(f"{manifest.name} {manifest.version}, {manifest.size} bytes, signed by {package.kid}")
    _tell_unchanged(client, started["unchanged"], manifest, say)
    result, code = _follow(client, started["rollout"], no_watch, timeout_s, output, say)
    if output == "json":
        emit({**started, "module": manifest.name, "version": manifest.version, "digest": package.digest, "targets": result}, output, None)
    click.get_current_context().exit(code)


def _package(context, file, group, name, version, key_path, allow_untrusted_key):
    from fleet import bundle, deploy

    data = file.read_bytes() if file.exists() else b""
    if bundle.is_bundle(data):
        if name or version or key_path:
            raise click.UsageError(f"{file} is signed already: --name, --version and --key would change nothing.")
        return bundle.unpack(data, file.name)
    manifest, payload = deploy.make_manifest(file, context.client.manifest_groups(group), name, version)
    key = load_key(key_path or context.home.release_key)
    if not allow_untrusted_key:
        deploy.check_trust(context.client.key_list(), key, manifest)
    return deploy.package(manifest, payload, key)


def load_key(path):
    """The signing key in `path`, asking for its passphrase if $WASMFLEET_PASSPHRASE is not set."""
    from fleet import signing

    return signing.SigningKey.load(
        path, lambda: signing.passphrase_from_environment() or click.prompt(f"Passphrase of {path}", hide_input=True, err=True).encode()
    )


def _silent(_text):
    """Say nothing: the output is for a program."""


def _tell_unchanged(client, boards, manifest, say):
    if not boards:
        return
    say(f"Nothing to do for {', '.join(boards)}: told to run this very module already.")
    for board in boards:
        last = client.latest(board)
        if last and last["state"] in ("refused", "rolled-back", "failed"):
            say(f"{board} did not take {manifest.name} {manifest.version} then ({last['reason']}); --again makes it try again.")


def _follow(client, number, no_watch, timeout_s, output, say):
    """Watch the rollout; ([targets], exit code)."""
    if number is None:
        return [], OK
    if client.service() is None:
        say("The service is not running, so the push is queued. It starts when `fleet up` does.")
        return client.rollout(number)["targets"], OK
    if no_watch:
        say(f"Rollout {number} has started. `fleet status` shows how it goes.")
        return client.rollout(number)["targets"], OK
    from fleet import watch

    try:
        with contextlib.closing(watch.make_view(output)) as view:
            targets = watch.follow(client, number, timeout_s, view)
    except KeyboardInterrupt:
        click.echo(f"\nNot watching any more; rollout {number} goes on. `fleet status` shows it.", err=True)
        click.get_current_context().exit(TIMEOUT)
    say(watch.summary(targets))
    return targets, watch.exit_code(targets)
