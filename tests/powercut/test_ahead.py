"""Power cuts while an image that was made ahead is fetched and sealed; and that the test sees an image written in place."""

from hashlib import sha256

import pytest
from cutting import cut_all, points

from mpwasm.agent import ahead, images
from tests import figures
from tests.powercut.ahead import CONTENT, ModuleAhead


@pytest.fixture(scope="module")
def case():
    made = ModuleAhead()
    made.survey()
    return made


def test_a_sample_of_cuts_is_survived(case):
    wanted = points(case, 5, 1)
    assert cut_all(case, wanted) == []
    figures.add("power cuts survived", len(wanted))


def test_an_image_written_in_place_is_caught(monkeypatch):
    """Without another name and the rename, a cut leaves half an image where the start looks for it."""
    monkeypatch.setattr(ahead, "keep", in_place)
    remade = ModuleAhead()
    remade.survey()
    assert any("nobody signed" in (remade.attempt(point) or "") for point in points(remade))


def in_place(store, digest, target, _blob):
    """`ahead.keep` without its defence."""
    with images.open(images.path(store, digest), "wb") as file:
        file.write(images.tag(store, digest, target, sha256(CONTENT).digest()))
        file.write(CONTENT)
    return True
