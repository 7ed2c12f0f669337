"""`fleet apply`: the fleet's desired state as a file in git."""

from pathlib import Path

import click

from fleet.output import emit, output_option

FILE = click.option("-f", "--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), default="fleet.yaml", show_default=True)
KEY = click.option("--key", "key_path", type=click.Path(dir_okay=False, path_type=Path), help="Signing key (default: the fleet's release key).")


@click.command()
@FILE
@KEY
@output_option
@click.pass_obj
def command(context, path, key_path, output):
    """Make the fleet what fleet.yaml says: groups, labels, and the modules that groups run. Doing it again does nothing.

    Rollouts begin and go on by themselves: `fleet rollout list` shows them.
    """
    done = [{**plain(change), **_do(context.client, change)} for change in planned(context, path, key_path)]
    emit(done, output, text)


def plain(change):
    return {name: value for name, value in change.items() if name != "package"}


def text(rows):
    from fleet import desired

    return "\n".join(desired.words(row) for row in rows) or "The fleet is as the file says."


def planned(context, path, key_path):
    """What is to be done; pushes come with their signed "package"."""
    from fleet import desired

    client, packages = context.client, {}
    state = desired.read(path.read_bytes())
    boards = client.devices()

    def unchanged(name, group):
        listed = group["boards"]
        wanted = [row for row in boards if (name in row["groups"] if listed is None else row["id"] in listed)]
        packages[name] = _package(context, path.parent / group["module"], name, wanted, key_path, group["aot"])
        return set(client.unchanged([row["id"] for row in wanted], packages[name].digest)) == {row["id"] for row in wanted}

    found = desired.changes(state, boards, {row["name"] for row in client.groups()}, unchanged)
    return [{**change, "package": packages[change["group"]]} if change["do"] == "push" else change for change in found]


def _package(context, file, name, boards, key_path, aot):
    """The module signed for the group `name` and the groups that its boards were set up for."""
    from fleet import ahead, deploy
    from fleet.commands.push import load_key

    key = load_key(key_path or context.home.release_key)
    manifest, payload = deploy.make_manifest(file, sorted({name} | {row["home_group"] for row in boards}))
    if aot:
        payload = ahead.add(manifest, payload, ahead.architectures(boards))
    deploy.check_trust(context.client.key_list(), key, manifest)
    return deploy.package(manifest, payload, key)


def _do(client, change):
    """Carry out one change; what came of it."""
    if change["do"] == "create group":
        client.add_group(change["group"])
    elif change["do"] == "join":
        client.join_group(change["group"], [change["board"]])
    elif change["do"] == "leave":
        client.leave_group(change["group"], [change["board"]])
    elif change["do"] == "label":
        client.label([change["board"]], {change["label"]: change["value"]})
    else:
        return {"started": client.push(change["package"], change["group"], plan=change["rollout"])["rollout"]}
    return {}
