"""Plans one function: its labels, its loops, and for each loop the words of the frame that live in registers there.

A *region* is the function's body or a loop, from its head to its last branch back. Inner loops choose first; where they leave
a register alone it keeps what the loop around them holds in it.
"""

from collections import OrderedDict

from mpwasm.compat import const
from mpwasm.native.scan import LENGTH, length, targets, words_read, words_written

_LABEL = const(1)
_LOOP = const(2)
_BORDER = const(4)
_CALL = const(0x72)
_CALL_INDIRECT = const(0x73)
_RETURN = const(0x74)
_NOTHING = const(-1)
_SLICE = const(64)  # ops
_OFTEN = const(8)  # how often a loop probably runs each time it is entered
_FRAME = const(2)  # cycles of a load or store of a word of the frame
_PASSAGE = const(4)  # cycles to bring a word into a register at a loop's head and back behind it


class Region:
    """Units `first` up to `end` (not included) within the region `around` (None: the whole function).

    `wide`: there are 64-bit ops. `pins` maps words of the frame, in their order, to the registers where they live. `gains` maps words to the
    cycles that a register would save each time round.
    """

    def __init__(self, first, end):
        self.first = first
        self.end = end
        self.around = None
        self.pins = {}
        self.gains = {}
        self.calls = 0
        self.wide = False


class Plan:
    """What is known of a function before it is compiled: `marks`, a byte per unit (bits: a label, a loop's head, the border of a region), and
    `regions`, in order of their first units.

    `zeroed`: the locals that may be read before they are written. `aligns`: there are accesses to more than a byte whose address is no constant;
    `calls`: the functions that are called outside of loops are below this number.
    `temps` is the first word behind the locals: what is read there is dead afterwards. `cpu` names the registers to choose from: its LOW_PINS are
    used as they are (one less where there are 64-bit ops, which need more of the others), its HIGH_PINS have to be copied for most ops.
    """

    def __init__(self, code, params, temps, cpu):
        self.code = code
        self.params = params
        self.temps = temps
        self.marks = bytearray(len(code) + 1)
        self.regions = [Region(0, len(code))]
        self.written = set()
        self.zeroed = set()
        self.aligns = False
        self.calls = 0
        self.cpu = cpu

    def made(self, frame):
        """Make the plan, of a frame of so many words: a generator that yields now and then."""
        cpu = self.cpu
        yield from self.find_loops()
        yield from self.weigh(frame)
        for i in range(len(self.regions) - 1, -1, -1):
            region = self.regions[i]
            self.choose(region, cpu.LOW_PINS[: len(cpu.LOW_PINS) - region.wide], cpu.HIGH_PINS)
        for region in self.regions:
            self.inherit(region, cpu.LOW_PINS[-1])
            pins = region.pins
            region.pins = OrderedDict([(word, pins[word]) for word in sorted(pins)])

    def find_loops(self):
        """Mark the labels; a region for each loop, nested ones within each other. A generator that yields now and then."""
        code, at, loops = self.code, 0, {}
        lengths, end, ops = LENGTH, len(self.code), 0
        while at < end:
            op = code[at]
            after = at + (lengths[op] or length(code, at))
            if 0x3F < op < 0x72 and (op < 0x50 or op > 0x6F):
                for t in targets(code, at):
                    t = code[t]
                    self.marks[t] |= _LABEL
                    if t <= at:
                        self.marks[t] |= _LOOP
                        loops[t] = after
            at = after
            ops += 1
            if not ops % _SLICE:
                yield 0
        heads = sorted(loops)
        for i in range(len(heads) - 1, -1, -1):
            for head in heads[i + 1 :]:
                if head < loops[heads[i]]:
                    loops[heads[i]] = max(loops[heads[i]], loops[head])
        for head in heads:
            region = Region(head, loops[head])
            region.around = self.at(head)
            self.regions.append(region)
            self.marks[head] |= _BORDER
            self.marks[loops[head]] |= _BORDER

    def at(self, unit):
        """The innermost region around `unit`."""
        for i in range(len(self.regions) - 1, -1, -1):
            if self.regions[i].first <= unit < self.regions[i].end:
                return self.regions[i]
        return self.regions[0]

    def weigh(self, frame):
        """Count for each region what words cost that are loaded where a block first reads them, and stored where it ends.

        A generator that yields now and then. Numbers of blocks are kept by words, of the last one that read it and that made it."""
        code, at, number = self.code, 0, 1
        seen, made = [0] * (frame + 2), [0] * (frame + 2)
        region = self.regions[0]
        temps, written, gains = self.temps, self.written, region.gains
        sure, met = (1 << self.params + 2) - 1, {}  # bits of the words that were written for certain; the same at labels ahead
        marks, lengths, end = self.marks, LENGTH, len(code)
        ops = before = 0
        while at < end:
            if marks[at]:
                number += 1
                region = self.at(at)
                gains = region.gains
                if at in met:
                    sure = met.pop(at) & sure
            for word in words_read(code, at):
                if word < temps or made[word] != number:
                    if seen[word] == number:
                        gains[word] = gains.get(word, 0) + 1
                        continue
                    gains[word] = gains.get(word, 0) + _FRAME
                    seen[word] = number
                    if word < temps and not sure >> word & 1:
                        self.zeroed.add(word)
            for word in words_written(code, at):
                if made[word] != number:
                    made[word] = number
                    written.add(word)
                    if word < temps:
                        gains[word] = gains.get(word, 0) + _FRAME
                        sure |= 1 << word
                seen[word] = number
            op = code[at]
            ops += 1
            if not ops % _SLICE:
                yield 0
            if op > 0x7F:
                region.wide |= op < 0xC9
            elif op > 0x3F:
                number += self.ended(code, at, region, before)
                if op < 0x50 or 0x6F < op < 0x76:
                    sure = self.parted(code, at, sure, met)
            before = at
            at += lengths[op] or length(code, at)

    def parted(self, code, at, sure, met):
        """Tell the labels to which the op at `at` branches what is `sure` to be written there; what is behind it, all where nothing comes."""
        op = code[at]
        for t in targets(code, at):
            t = code[t]
            met[t] = met.get(t, -1) & sure
        if op == _RETURN:
            self.zeroed.update(word for word in range(code[at + 1], code[at + 1] + code[at + 2]) if word < self.temps and not sure >> word & 1)
        return sure if op < 0x50 or op == _CALL or op == _CALL_INDIRECT else -1

    def ended(self, code, at, region, before):
        """Count calls, look for accesses; 1 where a block ends behind the op at `at` (0x40 to 0x7F), which the one at `before` precedes."""
        op = code[at]
        if op < 0x60:
            if 0x52 <= op < 0x56 or 0x59 <= op < 0x5C:
                self.aligns |= code[before] != 0x62 or code[before + 2] != code[at + 1]
                region.wide |= op == 0x5B
            return 1 if op < 0x50 else 0
        if op == _RETURN and code[at + 2] == 1:
            region.gains[code[at + 1]] = region.gains.get(code[at + 1], 0) + 1
        if op == _CALL or op == _CALL_INDIRECT:
            region.calls += 1
            if region is self.regions[0]:  # in a loop a call is behind its poll
                self.calls = max(self.calls, code[at + 1] + 1 if op == _CALL else 65536)
            self.written.add(code[at + (3 if op == _CALL else 5)])
            return 1
        return 0

    def choose(self, region, low, high):
        """Give registers to the words of `region` that gain most; tell the region around what that means for it."""
        around = region.around
        gains, kept = region.gains, region.calls * _FRAME  # what calls cost a word, twice that if it is ever written
        found = sorted([(kept * (2 if word in self.written else 1) - gains[word], word) for word in gains])
        free = list(low + high)
        least = _NOTHING if around and not region.calls else -_PASSAGE
        for gain, word in found:
            if gain > least or not free:
                break
            self.pin(region, word, -gain, free, low)
        if around:
            around.calls += _OFTEN * region.calls
            pins, more = region.pins, around.gains
            for word in gains:
                more[word] = more.get(word, 0) + (_PASSAGE if word in pins else _OFTEN * gains[word])

    def pin(self, region, word, gain, free, low):
        """Let `word` live in a register of `free`: the one that a loop within `region` has chosen for it, else the best."""
        best = free[0]
        for inner in self.regions:
            if inner.around is region and inner.pins.get(word) in free:
                best = inner.pins[word]
        if best not in low and gain // 2 < (_PASSAGE if region.around is None else 1):
            return
        region.pins[word] = best
        free.remove(best)

    def inherit(self, region, last):
        """A register that a loop does not need holds what it held around the loop; `last` is needed where there are 64-bit ops."""
        around = region.around
        if around is None:
            return
        used = set(region.pins.values())
        if region.wide:
            used.add(last)
        for word in around.pins:
            if word not in region.pins and around.pins[word] not in used:
                region.pins[word] = around.pins[word]
