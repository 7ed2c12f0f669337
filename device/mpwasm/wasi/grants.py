"""Which capability strings cover which: ``gpio:15``, ``gpio:*``, ``clock``."""


def covers(granted, asked):
    """True if one of the strings `granted` is `asked`, or ends in ``*`` and `asked` begins with the rest.

    An asked wildcard is covered only by a wildcard at least as wide: ``gpio:*`` is not covered by ``gpio:15``.
    """
    for g in granted:
        if g == asked or (g[-1:] == "*" and asked.startswith(g[:-1])):
            return True
    return False


class Grants:
    """What a guest may use: what its manifest asks for, cut down to what the board grants."""

    def __init__(self, manifest, board):
        self.manifest = manifest
        self.board = board

    def allow(self, capability):
        """True if manifest and board both cover the concrete string `capability`."""
        return covers(self.manifest, capability) and covers(self.board, capability)
