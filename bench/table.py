"""The table of machine code: made of a run's rows for the terminal, and for README.md, where a test holds it against the rows that are committed."""

import csv
from pathlib import Path

from bench.__main__ import mean

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
BEGIN, END = "<!-- made by `make bench BENCH=--save`, of results/{0} -->", "<!-- end -->"
INTEGER = ("fib", "sieve", "crc32", "matmul", "sha256")  # what the geometric mean is over, where they are there
COLUMNS = (
    ("thumb", "thumb"), ("gcc -O2", "native"), ("wasm3", "wasm3"), ("WAMR fast", "wamr_fast"), ("plain*", "plain, extrapolated"), ("code B", "code"),
    ("B/wasm B", "code per wasm code byte"), ("own B/wasm B", "own code per wasm code byte"),
    ("load ms", "load_ms"), ("compile ms", "compile_ms"), ("ms/instr", "compile per instruction"), ("peak B", "peak"),
)  # fmt: skip
FOOT = "* cycles of the plain executor, extrapolated from its first slot ops on the emulated board"


class Table:
    """Rows (date, machine, python, program, figure, value as text, unit), as the CSV files have them."""

    def __init__(self, rows):
        self.values = {(row[3], row[4]): float(row[5]) for row in rows}
        self.names = list(dict.fromkeys(row[3] for row in rows))

    def ratio(self, name):
        """Cycles of machine code in those of gcc -O2; None where that is not known."""
        native = self.values.get((name, "native"))
        return native and self.values[name, "thumb"] / native

    def cells(self, name):
        """What the table says of a kernel."""
        found = [self.values.get((name, figure)) for _, figure in COLUMNS] + [self.ratio(name)]
        return ["-" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}" for value in found]

    def text(self):
        """For the terminal."""
        titles = [title for title, _ in COLUMNS] + ["x native"]
        lines = [f"{'cycles of':10}" + "".join(f"{title:>13}" for title in titles)]
        lines += [f"{name:10}" + "".join(f"{cell:>13}" for cell in self.cells(name)) for name in self.names]
        return "\n".join([*lines, FOOT])

    def markdown(self):
        """For README.md."""
        titles = [title for title, _ in COLUMNS] + ["x native"]
        lines = [" | ".join(["| cycles of", *titles]) + " |", "|---|" + len(titles) * "--:|"]
        lines += [" | ".join([f"| {name}", *self.cells(name)]) + " |" for name in self.names]
        return "\n".join([*lines, "", "\\" + FOOT])

    def line(self):
        """The line that ends it: the geometric mean over the integer kernels, or over all that a folder of others has."""
        known = [name for name in self.names if self.ratio(name)]
        chosen = [name for name in known if name in INTEGER] or known
        if not chosen:
            return "geomean thumb: no peers.csv, so nothing to compare with"
        return f"geomean thumb: {mean([self.ratio(name) for name in chosen]):.2f}x native"


def read(path):
    """The `Table` of a committed file of rows."""
    with path.open() as file:
        return Table(list(csv.reader(file))[1:])


def section(path):
    """What README.md says of a file of rows, between its marks and with them."""
    table = read(path)
    return "\n".join((BEGIN.format(path.name), table.markdown(), "", table.line(), END))


def rewrite(path):
    """Put a file of rows into README.md in place of the one before."""
    text = README.read_text()
    begin = text.index(BEGIN.split("{", maxsplit=1)[0])
    README.write_text(text[:begin] + section(path) + text[text.index(END, begin) + len(END) :])
