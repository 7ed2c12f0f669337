"""The Node VM as a target of hil: what code prints and raises comes back, files stay, memory does not."""

import pytest

from hil.target import ExecError
from hil.vm_board import VmBoard


@pytest.fixture
def target():
    made = VmBoard()
    made.flash()
    yield made
    made.close()


def test_code_runs_there(target):
    assert target.exec("import sys\nx = 1\nprint(sys.implementation.name)") == "micropython\n"
    with pytest.raises(ExecError, match="NameError"):
        target.exec("print(x)")


def test_files_stay_until_it_is_flashed_again(target):
    target.put_all({"/lib/there.py": b"word = 'hello'\n"})
    assert target.exec("from there import word\nprint(word)\nopen('/new', 'w').write(word)") == "hello\n"
    assert target.exec("print(open('/new').read())") == "hello\n"
    target.flash()
    with pytest.raises(ExecError, match="ENOENT"):
        target.exec("open('/new')")


def test_what_never_ends_is_ended(target):
    with pytest.raises(TimeoutError, match="not done in 2 s"):
        target.exec("while True: pass", timeout_s=2)
    assert target.exec("print('again')") == "again\n"
