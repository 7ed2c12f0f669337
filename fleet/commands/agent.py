"""`fleet agent`: the agent itself, sent to boards as modules are: signed, tried, confirmed or undone."""

from pathlib import Path

import click

from fleet.commands.push import report_push
from fleet.output import output_option

PATH = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command():
    """The agent on the boards: push a new one."""


@command.command()
@click.option("--group", "-g", required=True, help="Group of boards to push to.")
@click.option("--key", "key_path", type=PATH, required=True, help="Signing key, one that may sign agents: fleet key create NAME --agent.")
@click.option("--version", help="What to call it (default: the version of these sources).")
@click.option("--confirm", "confirm_s", type=click.IntRange(0, 86400), default=60, show_default=True, help="Seconds it must run.")
@click.option("--tries", type=click.IntRange(1, 16), default=3, show_default=True, help="Starts it has until it is confirmed.")
@click.option("--again", is_flag=True, help="Push also to boards that were told to run this agent already.")
@click.option("--no-watch", is_flag=True, help="Do not wait for the boards.")
@click.option("--timeout", "timeout_s", type=click.IntRange(1), default=600, show_default=True, help="Seconds to wait for a board.")
@output_option
@click.pass_obj
def push(context, group, key_path, version, confirm_s, tries, again, no_watch, timeout_s, output):
    """Sign the agent of these sources and send it to a group; a board that it dies on, or keeps offline, goes back to the one before.

    Exit codes are those of `fleet push`.
    """
    from fleet import agents, deploy
    from fleet.commands.push import load_key

    payload = agents.build()
    manifest = agents.make_manifest(payload, context.client.manifest_groups(group), version or agents.version(), confirm_s, tries)
    key = load_key(key_path)
    deploy.check_trust(context.client.key_list(), key, manifest)
    package = deploy.package(manifest, payload, key)
    started = context.client.push(package, group, timeout_s, again)
    report_push(context.client, package, started, no_watch, output)
