"""`fleet sign`: sign a module on a machine that has the key and nothing else of the fleet."""

from pathlib import Path

import click

from fleet.output import emit, output_option

PATH = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=PATH)
@click.option("--group", "-g", "groups", multiple=True, required=True, help="Group of boards that may run it.")
@click.option("--key", "key_path", type=PATH, required=True, help="Signing key.")
@click.option("--name", help="Name of the module (default: from manifest.toml, else the file's).")
@click.option("--version", help="Version of the module (default: from manifest.toml, else 0).")
@click.option("--aot", is_flag=True, help="With machine code for every kind of board, so that none needs to compile.")
@click.option("--file", "target", type=PATH, help="Where to write it (default: beside FILE, ending in .suit).")
@output_option
def command(file, groups, key_path, name, version, aot, target, output):
    """Sign the WebAssembly module FILE: no fleet, database or network needed.

    Writes an envelope with the module in it, which `fleet push` takes as it takes a .wasm.
    """
    from fleet import ahead, bundle, deploy
    from fleet.commands.push import load_key

    manifest, payload = deploy.make_manifest(file, groups, name, version)
    if aot:
        payload = ahead.add(manifest, payload, sorted(ahead.NAMES))
    package = deploy.package(manifest, payload, load_key(key_path))
    target = target or file.with_suffix(bundle.SUFFIX)
    target.write_bytes(bundle.pack(package))
    facts = {"module": manifest.name, "version": manifest.version, "digest": package.digest, "kid": package.kid, "file": str(target)}
    emit(facts, output, lambda d: f"{d['module']} {d['version']} signed by {d['kid']}: {target}")
