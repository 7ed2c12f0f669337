"""Runs many cases, counts what they were made of and how they ended, and keeps the ones that differ."""

import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import mutations
from wasmbuild import load

from mpwasm.errors import Invalid, Malformed
from mpwasm.wasm import slots
from mpwasm.wasm.names import opcode_name
from tests.fuzz import check, operators, oracle
from tests.fuzz.cases import Case
from tests.fuzz.tree import walk

MUTANTS_EVERY = 4  # cases of which one is mutated too
OWN_LIMITS = range(70, 80)  # error codes with which we refuse what is valid, see explain.py
KEPT = 3  # findings that are made small and printed


class Tally:
    """Counts of one run; tallies of several processes add up."""

    def __init__(self):
        self.cases = self.clean = self.mutants = self.valid = 0
        self.opcodes, self.slots, self.ends, self.modules = Counter(), Counter(), Counter(), Counter()
        self.findings = []

    def add(self, other):
        """Take in the tally of another process."""
        for name, value in vars(other).items():
            getattr(self, name).update(value) if isinstance(value, Counter) else setattr(self, name, getattr(self, name) + value)

    def count(self, case):
        """What the case is made of."""
        self.cases += 1
        self.modules[len(case.makers)] += 1
        for maker in case.makers:
            for function in maker.bodies:
                for node in (inner for outer in function.body for inner in walk(outer)):
                    self.opcodes[node.op] += 1
                    if node.bodies:
                        self.opcodes[0x0B] += 1
                        self.opcodes[0x05] += len(node.bodies) - 1

    def count_slots(self, raw):
        """Which slot ops a module was lowered to."""
        for row in load(raw).codes:
            at = 0
            while at < len(row[0]):
                self.slots[row[0][at]] += 1
                at += slots.length(row[0], at)

    def ended(self, outcome):
        """How the calls ended."""
        kinds = [entry[0] if entry[0] == "ok" else entry[1] for entry in outcome["calls"]]
        self.ends.update(kinds)
        self.clean += all(kind == "ok" for kind in kinds)

    def missing(self):
        """Names of opcodes that never occurred."""
        return [opcode_name(op) for op in operators.ALL if not self.opcodes[op]]

    def lines(self, seconds):
        """The figures, in a few lines; the last one says whether all is well."""
        traps = ", ".join(f"{kind} {n}" for kind, n in self.ends.most_common())
        found, missing = len(slots.OPS) - len(set(slots.OPS) - set(self.slots)), self.missing()
        unused = ", ".join(sorted(slots.OPS[op][0] for op in set(slots.OPS) - set(self.slots)))
        return [
            f"opcodes: {len(operators.ALL) - len(missing)} of {len(operators.ALL)}; missing: {', '.join(missing) or 'none'}",
            f"slot ops: {found} of {len(slots.OPS)}; missing: {unused or 'none'}",
            f"calls ended: {traps}; cases with two modules: {self.modules[2]}",
            f"mutants: {self.mutants}, of which {self.valid} valid; wasmtime judges each as we do",
            f"fuzz: {self.cases} cases in {seconds:.0f} s, {len(self.findings)} differ from wasmtime, "
            f"{100 * self.clean / max(1, self.cases):.1f} % end without a trap",
        ]


def run(seed, numbers, until, executors=(None,)):
    """Cases `numbers` of `seed` on each of `executors` (None: the plain one), until the time (`time.monotonic`) given: a `Tally`."""
    tally = Tally()
    for number in numbers:
        if time.monotonic() > until:
            break
        one(tally, seed, number, executors)
    return tally


def one(tally, seed, number, executors):
    """One case, and at times a mutant of it."""
    case = Case(seed, number)
    tally.count(case)
    plain = case.plain()
    want = oracle.run(plain)
    tally.ended(want)
    found, executor = first_difference(plain, want, executors)
    if found is None:
        if number % 8 == 0:
            tally.count_slots(plain["wasm"][0])
        if number % MUTANTS_EVERY == 0:
            found = mutant(tally, plain["wasm"][0], number)
            if found:
                tally.findings.append(f"mutant of case {case.name}: {found}")
        return
    if len(tally.findings) < KEPT:
        found = f"{found}\nmade small: {check.difference(check.shrink(case, executor), executor)}\n{check.listing(case)}"
    tally.findings.append(f"case {case.name}: {found}")


def first_difference(plain, want, executors):
    """What the first executor that differs gives, and which one that is; (None, None) where all agree."""
    for executor in executors:
        found = check.compare(plain, want, executor)
        if found:
            return f"{executor.__name__ if executor else 'Instance'}: {found}", executor
    return None, None


def mutant(tally, raw, number):
    """Change a module's bytes: wasmtime's verdict must be ours, and running it must give the named errors only."""
    rng = mutations.Random(number * 2654435761 % (1 << 32) or 1)
    at = rng.below(len(raw))
    raw = mutations.mutate(rng, raw) if rng.below(2) else raw[:at] + bytes((raw[at] ^ 1 << rng.below(8),)) + raw[at + 1 :]
    theirs = oracle.valid(raw)
    tally.mutants += 1
    tally.valid += theirs
    try:
        load(raw)
        verdict = "valid"
    except (Malformed, Invalid) as error:
        verdict = f"{type(error).__name__} {error.code} at {error.offset}"
        if theirs and error.code in OWN_LIMITS:
            return None
    if (verdict == "valid") != theirs:
        return f"we say {verdict}, wasmtime {'valid' if theirs else 'invalid'}: {raw.hex()}"
    mutations.run(raw)
    return None


def run_parallel(seed, count, seconds, jobs, executors):
    """`count` cases in `jobs` processes: one `Tally`."""
    until = time.monotonic() + seconds
    if jobs == 1:
        return run(seed, range(count), until, executors)
    total = Tally()
    with ProcessPoolExecutor(jobs) as pool:
        for tally in pool.map(run, [seed] * jobs, [range(i, count, jobs) for i in range(jobs)], [until] * jobs, [executors] * jobs):
            total.add(tally)
    return total
