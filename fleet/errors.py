"""The one error that users see: a plain sentence that says what to do, and the exit code that goes with it."""

OK = 0
ERROR = 1
USAGE = 2
PARTLY = 3
PAUSED = 4
TIMEOUT = 5
SIGNATURE = 6


class FleetError(Exception):
    """Something the user can mend: `sentence` is shown as it is, `code` is the exit code of the command."""

    def __init__(self, sentence, code=ERROR):
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class Missing(FleetError):
    """What was named is not there."""


class Taken(FleetError):
    """What was to be made is there already, or its state does not allow what was asked."""


class Denied(FleetError):
    """The caller is unknown, or may not do this."""
