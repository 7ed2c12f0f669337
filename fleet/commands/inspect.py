"""`fleet inspect`: what a module is and needs, and whether boards would take it."""

from pathlib import Path

import click

from fleet.errors import ERROR, OK
from fleet.output import emit, output_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@output_option
def command(file, output):
    """Show what the WebAssembly module FILE imports, exports, uses and needs, and whether boards would take it.

    Memory is an estimate: linear memory committed by its data, 1 KiB of its stack if it has one, slot code, frames on the deepest path of direct
    calls beyond the first 256 bytes, tables and records. What it allocates while it runs comes on top.

    Exit codes: 0 boards would take it, 1 they would not.
    """
    from fleet.inspection import inspect

    report = inspect(file.read_bytes(), str(file))
    emit(report, output, show)
    click.get_current_context().exit(OK if report["accepted"] and all(row["fits"] for row in report["boards"]) else ERROR)


def show(report):
    """The report as text."""
    out = [f"{report['file']}: {report['bytes']} bytes, sha256 {report['sha256'][:16]}…"]
    used = ", ".join(f"{name} (byte {offset})" for name, offset in sorted(report["features"].items()))
    if report["sections"]:
        out.append(f"features   {used or 'WebAssembly 1.0 without i64 and floats'}")
    if "imports" in report:
        out += [*_imports(report["imports"]), *_exports(report), *_memory(report["memory"]), *_boards(report["boards"])]
        out.append(f"code       {report['machine_code']} bytes of machine code on RP2040, RP2350 and other Cortex-M boards; slot code elsewhere")
    for refusal in report["refusals"]:
        out.append(f"refused    {refusal['sentence']}")
    if report["accepted"]:
        needs = ", ".join(report["capabilities"])
        out.append(f"accepted   {'needs the capabilities ' + needs if needs else 'needs no capability'}")
    return "\n".join(out)


def _lines(heading, rows):
    """Lines under one heading, which stands on the first."""
    return [f"{heading if not number else '':<11}{row}" for number, row in enumerate(rows)]


def _imports(imports):
    if not imports:
        return ["imports    nothing"]
    width = max(len(f"{row['module']}.{row['name']}") for row in imports)
    return _lines("imports", [f"{row['module'] + '.' + row['name']:<{width}}  {row['type'] or row['kind']}{_need(row)}" for row in imports])


def _need(row):
    return f"  needs {row['capability']}" if row["capability"] else ""


def _exports(report):
    rows = [f"{row['name']}  {row['type'] or row['kind']}" for row in report["exports"]]
    entry = " then ".join(report["entry"]) or "none: name one in manifest.toml, or with --entry"
    return [*_lines("exports", rows or ["nothing"]), f"entry      {entry}"]


def _memory(memory):
    limit = "no maximum" if memory["maximum"] is None else f"at most {memory['maximum']}"
    parts = ", ".join(f"{name} {memory[name]}" for name in ("data", "stack", "code", "frames", "tables", "records") if memory[name])
    more = " (recursive: frames up to the limit)" if memory["recursive"] else ""
    rows = [f"{memory['declared']} bytes declared, {limit}", f"about {memory['total']} bytes on a board: {parts or 'nothing'}{more}"]
    return _lines("memory", rows)


def _boards(boards):
    rows = [f"{row['board']}: {'fits' if row['fits'] else 'does not fit'}, {row['free']} bytes free for guests ({row['note']})" for row in boards]
    return _lines("boards", rows)
