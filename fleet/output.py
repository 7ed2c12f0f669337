"""How commands print: short tables for people, plain JSON for programs; colours and bars are `fleet.watch`'s."""

import json
import time

import click

EMPTY = "-"


def output_option(command):
    """Add `-o table|json` to a command, passed as `output`."""
    return click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to print.")(command)


def emit(data, output, table):
    """Print `data`: as JSON, or as the text that `table(data)` returns."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False) if output == "json" else table(data))


def as_table(columns, nothing):
    """A function for `emit`: rows (dicts) to text under the headings of `columns` [(heading, function of row)]; `nothing` if there are none."""

    def table(rows):
        if not rows:
            return nothing
        cells = [[heading for heading, _ in columns]]
        cells += [[cell(show(row)) for _, show in columns] for row in rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells)

    return table


def as_fields(names):
    """A function for `emit`: one dict as lines of name and value; `names` [(heading, function of data)]."""

    def table(data):
        width = max(len(heading) for heading, _ in names)
        return "\n".join(f"{heading.ljust(width)}  {cell(show(data))}".rstrip() for heading, show in names)

    return table


def cell(value):
    """One value as text: lists with commas, nothing as a dash."""
    if value is None or value == "" or value == []:
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def ago(then, now=None):
    """How long ago a time (seconds since 1970, or None) was, in words."""
    if then is None:
        return "never"
    seconds = int((time.time() if now is None else now) - then)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{max(seconds, 0)}s ago"


def day(then):
    """A time (seconds since 1970, or None) as a date of UTC."""
    return None if then is None else time.strftime("%Y-%m-%d", time.gmtime(then))


def module(row):
    """Name and version of what a board runs."""
    return f"{row['module']} {row['version']}" if row["module"] else None


def kib(size):
    """Bytes as KiB, or None."""
    return None if size is None else f"{size / 1024:.0f} KiB"
