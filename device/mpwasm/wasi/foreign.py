"""What the host functions of other ecosystems do that ours don't: text of the host's own, and refusals that can't be returned."""

from mpwasm.compat import const

_MOST = const(8)


def say(context, text):
    """Append `text` to the line of level info."""
    raw = text.encode()
    context.line(1).put(raw, len(raw))


def refused(context, what):
    """A function that can't return an error was not allowed `what`, or could not do it: said once in the log. Returns 0."""
    if what not in context.told and len(context.told) < _MOST:
        context.told.append(what)
        context.sink.line(2, (what + " refused").encode())
    return 0
