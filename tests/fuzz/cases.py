"""A case: one or two modules and the calls made of them, from a seed alone."""

import random

from tests.fuzz import operators
from tests.fuzz.modules import ModuleMaker
from tests.fuzz.tree import EXT


class Case:
    """`makers` in the order of instantiation; `calls` are (instance, export, arguments as [kind, hexadecimal number])."""

    def __init__(self, seed, number):
        self.name = f"{seed}:{number}"
        rng = random.Random(self.name)
        self.makers = [ModuleMaker(rng)]
        if rng.random() < 0.2:
            self.makers.append(ModuleMaker(rng, self.makers[0]))
        entries = [(i, name, types) for i, maker in enumerate(self.makers) for name, types in maker.entries]
        self.calls = [call(rng, *rng.choice(entries)) for _ in range(1 + rng.randrange(3))]
        self.slice = rng.choice((7, 100, 1 << 20))

    def plain(self):
        """The case as the executors take it: bytes, text and lists only."""
        return {"name": self.name, "wasm": [maker.encode() for maker in self.makers], "calls": self.calls, "slice": self.slice}


def call(rng, instance, name, types):
    """A call with some arguments; an externref is a small number or null ("")."""
    arguments = []
    for t in types:
        if t == EXT:
            arguments.append(["r", rng.choice(("", "1", "2"))])
        else:
            arguments.append(["i", "%x" % operators.value(rng, t)])
    return [instance, name, arguments]
