"""The errors of this package: plain sentences that say what to do."""


class FirmwareError(Exception):
    """Something the user can mend; `sentence` is shown as it is."""

    def __init__(self, sentence):
        super().__init__(sentence)
        self.sentence = sentence


class TimedOut(FirmwareError):
    """A program did not end in time."""
