"""`fleet key`: who may sign. The root's private key may be elsewhere: --unsigned, `fleet key sign` there, `fleet key import` here."""

from pathlib import Path

import click

from fleet.output import as_fields, as_table, chosen, day, emit, filter_option, output_option

LIST = as_table(
    [("KEY", lambda d: d["kid"]), ("NAME", lambda d: d["name"]), ("MAY SIGN", lambda d: d["scopes"]), ("STATE", lambda d: d["state"])],
    "There are no release keys.",
)
SHOW = as_fields(
    [
        ("Key", lambda d: d["kid"]),
        ("Name", lambda d: d["name"]),
        ("May sign", lambda d: d["scopes"]),
        ("State", lambda d: d["state"]),
        ("Public key", lambda d: d["public"]),
        ("Made", lambda d: day(d["created"])),
    ]
)
ROOT = as_fields([("Public key", lambda d: d["public"]), ("SHA-256", lambda d: d["fingerprint"]), ("Key list", lambda d: f"version {d['version']}")])
PATH = click.Path(dir_okay=False, path_type=Path)


def root_options(command):
    """Options of whatever makes a new list of keys."""
    command = click.option("--root-key", type=PATH, help="The root's private key (default: keys/root.key of the fleet).")(command)
    return click.option("--unsigned", type=PATH, help="Write the new list to this file, to be signed where the root key is.")(command)


def plain_option(command):
    """Option of whatever makes a key file."""
    return click.option("--insecure-plain-key", "plain", is_flag=True, help="Keep the key without a passphrase: for tests and demos.")(command)


@click.group()
def command():
    """Keys that may sign: create, list, show, rotate, revoke, export; sign and import for a root key that is offline."""


@command.command("list")
@filter_option
@output_option
@click.pass_obj
def list_(context, conditions, output):
    """List the release keys that there are and were."""
    emit(chosen(context.client.keys(), conditions), output, LIST)


@command.command()
@click.argument("name")
@output_option
@click.pass_obj
def show(context, name, output):
    """Show one key, by name or id."""
    emit(context.client.key(name), output, SHOW)


@command.command("show-root")
@output_option
@click.pass_obj
def show_root(context, output):
    """Show the root key's public half, which every board is provisioned with."""
    emit(context.client.root(), output, ROOT)


@command.command()
@click.argument("name")
@click.option("--file", "path", type=PATH, help="Where to write it (default: stdout).")
@click.pass_obj
def export(context, name, path):
    """Write the public half of a key as PEM; `root` is the root key."""
    from fleet import signing

    client = context.client
    text = signing.public_pem(bytes.fromhex(client.root()["public"] if name == "root" else client.key(name)["public"]))
    if path:
        path.write_text(text)
    click.echo(f"Wrote {path}." if path else text, nl=bool(path))


@command.command()
@click.argument("path", type=PATH)
@plain_option
@output_option
def generate(path, plain, output):
    """Make a key pair without a fleet: PATH, encrypted, and PATH.pub. `fleet key create NAME --public PATH.pub` lets it sign."""
    from fleet import signing

    key = signing.SigningKey.generate()
    key.save(_free(path), new_passphrase(path, plain))
    public = path.with_name(path.name + ".pub")
    public.write_text(signing.public_pem(key.public))
    made = {"kid": key.kid.hex(), "file": str(path), "public": str(public)}
    emit(made, output, lambda d: f"Made key {d['kid']}: {path}, and {public} to give away.")


@command.command()
@click.argument("name")
@click.option("--group", "groups", multiple=True, help="Group of boards it may sign for; all if none is named.")
@click.option("--cap", "capabilities", multiple=True, help="Capability that its modules may have, such as gpio:15 or adc:*; all if none is named.")
@click.option("--agent", is_flag=True, help="It signs the agent itself, and no modules.")
@click.option("--public", type=PATH, help="PEM file of a key made elsewhere (`fleet key generate`); else one is made here.")
@plain_option
@root_options
@output_option
@click.pass_obj
def create(context, name, groups, capabilities, agent, public, plain, root_key, unsigned, output):
    """Let a key sign, within its scope."""
    from fleet import signing, trust

    path = None if public else _free(context.home.keys / f"{name}.key")
    key = signing.read_public(public) if public else None
    if key is None:
        made = signing.SigningKey.generate()
        made.save(path, new_passphrase(path, plain))
        key = made.public
    try:
        listed = trust.added(context.client.key_list(), key, trust.scopes(agent, groups, capabilities), name)
        _publish(context, listed, root_key, unsigned, output, f"{name} may sign")
    except BaseException:
        if path:
            path.unlink()
        raise


@command.command()
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Also revoke the old key for ever: it was lost or stolen.")
@click.option("--stop", is_flag=True, help="With --revoke: what it signed stops on the boards.")
@click.option("--public", type=PATH, help="PEM file of the new key, made elsewhere; else one is made here.")
@plain_option
@root_options
@output_option
@click.pass_obj
def rotate(context, name, revoke, stop, public, plain, root_key, unsigned, output):
    """Put a new key in the place of one, or with NAME `root` in the place of the root key."""
    from fleet import rotation, signing

    new = signing.read_public(public) if public else None
    if name == "root":
        prepared = rotation.of_root(context, new, root_key, unsigned, lambda path: new_passphrase(path, plain))
    else:
        prepared = rotation.of_release(context, name, revoke, stop, new, lambda path: new_passphrase(path, plain))
    listed, root, done = prepared
    _publish(context, listed, root or root_key, unsigned, output, f"{name} has a new key")
    done()


@command.command()
@click.argument("name")
@click.option("--stop", is_flag=True, help="What it signed stops on the boards; otherwise it goes on, and nothing new is taken.")
@root_options
@output_option
@click.pass_obj
def revoke(context, name, stop, root_key, unsigned, output):
    """Revoke a key for ever, by name or id."""
    from fleet import trust

    listed = context.client.key_list()
    made = trust.removed(listed, trust.find(listed, name), True, stop)
    _publish(context, made, root_key, unsigned, output, f"{name} is revoked")


@command.command()
@click.argument("file", type=PATH)
@click.option("--root-key", type=PATH, required=True, help="The root's private key.")
@click.option("--new-root", type=PATH, help="Hand over to this key, which signs, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def sign(file, root_key, new_root, yes):
    """Sign the list of keys in FILE (of --unsigned): no fleet, database or network needed. Writes FILE.signed."""
    from fleet import signing, trust
    from fleet.commands.push import load_key

    listed = signing.read_unsigned(file)
    click.echo(describe(listed))
    if not yes:
        click.confirm("Sign this", abort=True)
    root = load_key(root_key)
    if new_root:
        after = load_key(new_root)
        listed, root = trust.linked(listed, root, after), after
    target = file.with_name(file.name + ".signed")
    target.write_bytes(trust.seal(listed, root))
    click.echo(f"Wrote {target}. `fleet key import {target.name}` makes it the fleet's.")


@command.command("import")
@click.argument("file", type=PATH)
@output_option
@click.pass_obj
def import_(context, file, output):
    """Make a signed list of keys the fleet's: every board is told."""
    _install(context, file.read_bytes(), output, "Imported")


def describe(listed):
    """What a list says, as text."""
    lines = [f"Key list, version {listed.version}"]
    lines += [f"  {key.kid.hex()}  {key.name}  may sign {', '.join(key.scopes)}" for key in listed.keys]
    lines += [f"  {kid.hex()}  revoked{', its modules stop' if kid in listed.stopped else ''}" for kid in listed.revoked]
    return "\n".join(lines)


def new_passphrase(path, plain):
    """The passphrase for a new key file (bytes): $WASMFLEET_PASSPHRASE, or what the user says; None for a `plain` one."""
    from fleet import passphrase

    return None if plain else passphrase.new(path)


def _free(path):
    from fleet.errors import Taken

    if path.exists():
        raise Taken(f"There is a key file {path} already. Choose another name.")
    return path


def _publish(context, listed, root_key, unsigned, output, what):
    """Sign the new list and make it the fleet's, or leave it unsigned; `root_key` is a path or a key."""
    from fleet import trust
    from fleet.commands.push import load_key

    if unsigned:
        unsigned.write_bytes(listed.encode())
        advice = f"Wrote {unsigned}. Sign it where the root key is (`fleet key sign {unsigned.name} --root-key FILE`), then `fleet key import` it."
        emit({"version": listed.version, "unsigned": str(unsigned)}, output, lambda _: advice)
        return
    if root_key is None or isinstance(root_key, Path):
        root_key = load_key(root_key or context.home.root_key)
    _install(context, trust.seal(listed, root_key), output, what)


def _install(context, blob, output, what):
    made = context.client.install_keys(blob)
    emit(made, output, lambda d: f"{what}: key list version {d['version']}. The boards get it from the service.")
