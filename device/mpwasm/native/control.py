"""Control: branches, tables, calls, returns, and ops that are left to Python."""

from mpwasm.compat import const
from mpwasm.native.function import Function
from mpwasm.native.scan import words_read, words_written
from mpwasm.wasm.module import words

_NOTHING = const(-1)
_ALWAYS = const(-1)
_HOST = const(2)
_OP = const(4)
_TRAP = const(5)
_EQ = const(0)
_CALL = const(0x72)


class Control(Function):
    """A function that knows the control ops."""

    def control(self, op, at):
        """br, br_table, calls, return, unreachable."""
        if op == 0x70:
            self.flush()
            self.branch(_ALWAYS, self.code[at + 1])
        elif op == 0x71:
            self.table(at)
        elif op == 0x74:
            self.ret(at)
        elif op == 0x75:
            self.cpu.exit(_TRAP, 0)
        else:
            (self.call if op == _CALL else self.call_indirect)(at)
            return
        self.ended = True
        if self.cold or self.cpu.here > self.cpu.due:
            self.islands(True)

    # what Python does

    def to_frame(self, word):
        """Have `word` in the frame too, where Python looks for it; a temporary is dead then."""
        if word in self.lazy:
            r = self.constant(self.lazy.pop(word))
            self.cpu.store(r, word)
            self.unlock(r)
            return
        r = self.find(word)
        pin = self.pins.get(word, _NOTHING)
        if pin != _NOTHING:
            if r >= 0 and self.dirty >> r & 1:
                self.back(r)
            self.save(word, pin)
        elif r >= 0 and self.dirty >> r & 1:
            self.back(r)
        if r >= 0 and word >= self.temps:
            self.held[r] = _NOTHING

    def from_frame(self, word):
        """`word` was changed in the frame."""
        self.drop(word)
        pin = self.pins.get(word, _NOTHING)
        if pin != _NOTHING:
            self.restore(word, pin)

    def python(self, at):
        """Leave the op at `at` to Python: operands to the frame, exit, the result from the frame."""
        self.empty(self.cpu.SCRATCH)
        for word in words_read(self.code, at):
            self.to_frame(word)
        self.cpu.exit(_OP, self.told(at))
        for word in words_written(self.code, at):
            self.from_frame(word)

    # calls

    def call(self, at):
        """call: of our own functions, else an exit."""
        code = self.code
        function, delta, slot = code[at + 1], code[at + 2], code[at + 3]
        results = words(self.module.types[self.module.funcs[function]][1])
        if function >= self.module.imported:
            self.direct(function + self.numbers, delta, slot, results)
            return
        self.flush()
        for word in self.pins:
            if word >= delta:
                self.save(word, self.pins[word])
        self.forget()
        self.cpu.exit(_HOST, self.told(at))
        self.from_host(delta, slot, results)

    def from_host(self, delta, slot, results):
        """Take a host call's results from the frame: one or two words may belong elsewhere than at `delta`."""
        if results > 2:
            for word in self.pins:
                if word >= delta:
                    self.restore(word, self.pins[word])
            return
        for i in range(results):
            self.cpu.load(self.define(slot + i), delta + i)

    def direct(self, function, delta, slot, results):
        """Call the function with number `function` in `calls`, its arguments at `delta`."""
        self.flush()
        self.save_pins()
        self.forget()
        self.branch_to(function, delta)
        self.received(slot, results)

    def branch_to(self, function, delta):
        """The call itself."""
        cpu = self.cpu
        cpu.frame_by(delta)
        self.calls.append((cpu.call(), function))
        cpu.frame_by(-delta)

    def received(self, slot, results):
        """Behind a call: pins are as before, one or two words of results in the result registers."""
        self.restore_pins()
        if results <= 2:
            for i in range(results):
                self.receive(slot + i, self.cpu.RESULTS[i])

    def receive(self, word, r):
        """`word` was computed in cache register `r`."""
        if word in self.homes:
            self.cpu.move(self.homes[word], r)
        else:
            self.drop(word)
            self.own(r, word)

    def call_indirect(self, at):
        """call_indirect: Python looks the element up; of machine code it hands the address back, else it made the call."""
        cpu, code = self.cpu, self.code
        delta, slot = code[at + 4], code[at + 5]
        results = words(self.module.types[code[at + 2]][1])
        self.flush()
        self.save_pins()
        self.to_frame(code[at + 1])
        for word in self.pins:
            if word >= delta and word not in self.written:
                self.save(word, self.pins[word])
        self.forget()
        cpu.exit(_HOST, self.told(at))
        result = cpu.RESULTS[0]
        made = cpu.branch(cpu.compare_k(_EQ, result, 0), 0)
        cpu.frame_by(delta)
        cpu.call_register(result)
        cpu.frame_by(-delta)
        out = cpu.branch(_ALWAYS, 0)
        cpu.patch_branch(made, cpu.here)
        if results <= 2:
            for i in range(results):
                cpu.load(cpu.RESULTS[i], delta + i)
        cpu.patch_branch(out, cpu.here)
        self.received(slot, results)

    def ret(self, at):
        """return: one or two words in the result registers, more in the first words of the frame."""
        cpu, code = self.cpu, self.code
        slot, results = code[at + 1], code[at + 2]
        if results > 2:
            self.flush()
            for i in range(results):
                self.to_frame(slot + i)
            cpu.take_return(self.params)
            for i in range(results):
                cpu.load(cpu.RESULTS[0], slot + i)
                cpu.store(cpu.RESULTS[0], i)
        else:
            if results == 2 and self.find(slot + 1) == cpu.RESULTS[0]:
                self.evict(cpu.RESULTS[0])
            for i in range(results):
                self.bring(slot + i, cpu.RESULTS[i])
            cpu.take_return(self.params)
        cpu.go_back()

    def bring(self, word, r):
        """Have `word` in `r`, whatever that held."""
        found = self.home(word)
        if found < 0:
            found = self.find(word)
        if found < 0:
            self.fetch(r, word)
        else:
            self.cpu.move(r, found)

    # br_table

    def table(self, at):
        """br_table: a table of distances; a target whose pins differ is reached through code behind the table."""
        cpu, code = self.cpu, self.code
        count = code[at + 2]
        index = self.use(code[at + 1])
        self.flush()
        if count > 30:
            self.islands(False)
        first = cpu.table(index, count)
        self.forget()
        for i in range(count + 1):
            unit = code[at + 3 + i]
            if unit in self.places or self.differ(self.pins, self.plan.at(unit).pins):
                cpu.table_entry(first, i, cpu.here)
                self.branch(_ALWAYS, unit)
            else:
                self.entries.append((first, i, unit))
