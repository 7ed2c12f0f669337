"""A few hundred mutated modules: the named errors only, on a board's Python too."""

from mutations import Random, mutate, rich, run


def test_mutations():
    rng = Random(99)
    ends = {}
    for _ in range(400):
        end = run(mutate(rng, rich()))
        ends[end] = ends.get(end, 0) + 1
    assert ends["Malformed"] > 100 and ends["Invalid"] > 10 and ends["ran"] > 5, ends


def test_the_module_itself_runs():
    assert run(rich()) == "ran"
