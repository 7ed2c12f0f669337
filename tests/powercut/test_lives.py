"""Power cuts in and between the lives of a board whose memory takes restarts; and that the test sees a life that doesn't come again after a cut."""

import pytest
from cutting import cut_all, points

from mpwasm.agent import room
from tests import figures
from tests.agent.chip import retry_once
from tests.powercut.lives import CASES, ImageInALife, UpdateAlone


@pytest.mark.parametrize("name", CASES)
def test_a_sample_of_cuts_is_survived(name):
    case = CASES[name]()
    case.survey()
    wanted = points(case, 11, 1)
    assert cut_all(case, wanted) == []
    figures.add("power cuts survived", len(wanted))


def bites(case, wanted):
    """Whether some cut is not survived."""
    case.survey()
    return any(case.attempt(point) for point in points(case)[wanted])


def test_an_update_that_gets_one_life_is_lost_with_the_power(monkeypatch):
    monkeypatch.setattr(room, "retry", retry_once)
    assert bites(UpdateAlone(), slice(30, None, 9))


def test_an_image_that_gets_one_life_is_lost_with_the_power(monkeypatch):
    monkeypatch.setattr(room, "_LIVES", 1)
    assert bites(ImageInALife(), slice(100, None, 9))
