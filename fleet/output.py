"""How commands print: short tables for people; JSON, JSON lines, CSV or bare names for programs. Colours and bars are `fleet.watch`'s."""

import csv
import io
import json
import re
import time
from fnmatch import fnmatchcase

import click

from fleet.errors import USAGE, FleetError

EMPTY = "-"
FORMATS = ("table", "wide", "json", "jsonl", "csv", "name")
# What a row goes by, the first of these that it has.
NAMES = ("id", "name", "kid", "device", "rollout", "board", "port", "removed", "revoked", "file", "url")
_CONDITION = re.compile(r"([A-Za-z0-9_.]+)(!=|=|~)(.*)", re.DOTALL)


def output_option(command):
    """Add `-o FORMAT` to a command, passed as `output`."""
    return click.option("-o", "--output", type=click.Choice(FORMATS), default="table", metavar="FORMAT", help=f"{', '.join(FORMATS)}.")(command)


def stream_option(command):
    """Add `-o table|json` to a command that prints what happens, one JSON object a line."""
    words = "How to print: text, or one JSON object a line."
    return click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help=words)(command)


def filter_option(command):
    """Add `--filter CONDITION`, which may be repeated, passed as `conditions` for `chosen`."""
    words = "Only rows of which FIELD=VALUE, FIELD!=VALUE or FIELD~PATTERN (with * and ?) is true; fields as in -o json. All that are given must be."
    return click.option("--filter", "conditions", multiple=True, metavar="CONDITION", help=words)(command)


def for_people(output):
    """Whether sentences may be printed around the data: programs get the data alone."""
    return output in ("table", "wide")


def emit(data, output, table):
    """Print `data` in the format `output`; `table(data)` gives the text for people, `table.wide(data)` the wide one if there is such."""
    if for_people(output):
        text = (getattr(table, "wide", table) if output == "wide" else table)(data)
    elif output == "json":
        text = json.dumps(data, indent=2, ensure_ascii=False)
    else:
        rows = data if isinstance(data, list) else [data]
        text = {"jsonl": as_lines, "csv": as_csv, "name": as_names}[output](rows)
    if text or for_people(output):
        click.echo(text)


def as_lines(rows):
    """One JSON object a line."""
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def as_csv(rows):
    """CSV (RFC 4180, but with plain newlines): a heading, then the rows; values that are lists or objects as JSON."""
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: _plain(value) for name, value in row.items()} for row in rows])
    return out.getvalue().rstrip("\n")


def _plain(value):
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict, bool)) else value


def as_names(rows):
    """What each row goes by, one a line."""
    return "\n".join(str(row[next(name for name in NAMES if name in row)]) for row in rows if any(name in row for name in NAMES))


def chosen(rows, conditions):
    """The rows that meet all `conditions` (texts); FleetError (usage) for one that is none, or names a field that no row has."""
    for text in conditions:
        match = _CONDITION.fullmatch(text)
        if not match:
            raise FleetError(f"{text!r} is no condition: write FIELD=VALUE, FIELD!=VALUE or FIELD~PATTERN.", USAGE)
        field, operator, value = match.groups()
        if rows and not any(_values(row, field) for row in rows):
            raise FleetError(f"There is no field {field!r} to filter by. There are: {', '.join(rows[0])}.", USAGE)
        rows = [row for row in rows if _meets(_values(row, field), operator, value)]
    return rows


def _values(row, field):
    """The values (texts) that a field has in a row: one, or those of a list; a dot leads into an object."""
    for part in field.split("."):
        if not isinstance(row, dict) or part not in row:
            return []
        row = row[part]
    return [_text(value) for value in (row if isinstance(row, list) else [row])] or [""]


def _text(value):
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meets(values, operator, wanted):
    if operator == "!=":
        return wanted not in values
    return any(fnmatchcase(value, wanted) if operator == "~" else value == wanted for value in values)


def as_table(columns, nothing, wide=()):
    """A function for `emit`: rows (dicts) to text under the headings of `columns` [(heading, function of row)]; `nothing` if there are none.

    `wide` are the columns that the wide table has besides.
    """

    def table(rows):
        return _grid(rows, columns) if rows else nothing

    table.wide = lambda rows: _grid(rows, [*columns, *wide]) if rows else nothing
    return table


def _grid(rows, columns):
    cells = [[heading for heading, _ in columns]]
    cells += [[cell(show(row)) for _, show in columns] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells)


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


def wanted(row):
    """Name and version of what a board should run, where that is something else."""
    order = row["desired"]
    if not order or (order["module"], order["version"]) == (row["module"], row["version"]):
        return None
    return f"{order['module']} {order['version']}"


def kib(size):
    """Bytes as KiB, or None."""
    return None if size is None else f"{size / 1024:.0f} KiB"
