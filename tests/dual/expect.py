"""What the tests that run on both Pythons share: expecting an exception, and finding test data."""

import sys

_MICROPYTHON = sys.implementation.name == "micropython"


def raises(exception, function, *args):
    """Call `function(*args)`, which must raise `exception` (a class or a tuple of classes); return what was raised."""
    try:
        function(*args)
    except exception as error:
        return error
    raise AssertionError(f"did not raise {exception}")


def path(name):
    """Path of the file `name` of tests/dual/data."""
    if _MICROPYTHON:
        return "/data/" + name
    return __file__[: -len("expect.py")] + "data/" + name


def data(name):
    """Contents of the file `name` of tests/dual/data, as bytes."""
    with open(path(name), "rb") as file:
        return file.read()
