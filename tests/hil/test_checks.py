"""What of the official suite counts as more than a board's heap, and what does not."""

from hil.checks import beyond


def test_only_more_than_a_page_of_memory_is_beyond_a_board():
    assert beyond("Exhausted: (121, (131073, 16777216))")
    assert not beyond("Exhausted: (121, (44545, 16777216))")
    assert not beyond("Exhausted: (120, 131073)")
    assert not beyond("got (1,), not [131073]")
