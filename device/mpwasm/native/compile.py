"""Compiles a loaded module to one position-independent blob of machine code."""

from mpwasm.native.thumb import OutOfReach, Thumb
from mpwasm.native.thumb_entry import enter, exits
from mpwasm.native.thumb_ops import Templates
from mpwasm.wasm.module import words


class Blob:
    """Machine code: `code`, the byte offsets of its functions (`starts`), the slot ops that it leaves to Python (`left`, units), and whether
    some of them need `rare`. With it the slot code itself is not needed any more.
    """

    def __init__(self, code, starts, left, rare):
        self.code = code
        self.starts = starts
        self.left = left
        self.rare = rare


def compile_module(module):
    """The `Blob` for `module`; its entry is at offset 0."""
    task = compiling(module)
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def compiling(module):
    """`compile_module` as a generator that yields every few ops, so that a board can do other things meanwhile."""
    asm = Thumb()
    done = enter(asm)
    ways = exits(asm, 9)
    asm.patch_bl(done, ways[0])

    def results(function):
        return words(module.types[module.funcs[function]][1])

    def indirect(kind):
        return words(module.types[kind][1])

    templates = Templates(asm, ways, module.imported, results, indirect)
    starts = []
    for i in range(len(module.codes)):
        start = yield from one(asm, templates, module, i)
        starts.append(start)
    for at, function in asm.calls:
        asm.patch_bl(at, starts[function - module.imported])
    return Blob(asm.out, starts, templates.left, templates.rare)


def one(asm, templates, module, index):
    """Compile one function, again with longer branches where they do not reach; a generator that returns its offset."""
    code, params, others, frame = module.codes[index]

    def call_words(at):
        if code[at] == 0x72:
            kind = module.types[module.funcs[code[at + 1]]]
        else:
            kind = module.types[code[at + 2]]
        return max(words(kind[0]), words(kind[1]))

    far = set()
    if asm.here & 2:
        asm.put(0x46C0)
    start = asm.here
    while True:
        calls = len(asm.calls)
        left = len(templates.left)
        try:
            yield from templates.compile(code, params, others, frame, call_words, far)
            return start
        except OutOfReach as failure:
            if failure.site in far:
                raise
            far.add(failure.site)
            asm.out = asm.out[:start]
            asm.pool = []
            templates.left = templates.left[:left]
            while len(asm.calls) > calls:
                asm.calls.pop()
