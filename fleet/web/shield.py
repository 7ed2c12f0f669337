"""What every answer goes through: limits on requests, headers that tell browsers what the pages may do."""

from starlette.exceptions import HTTPException

LARGEST_BODY = 12 << 20

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


class Shield:
    """ASGI middleware around `app`."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        """Pass a request on, its body counted and the answer's headers completed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message):
            if message["type"] == "http.response.start":
                fresh = [(b"cache-control", b"no-cache")] if scope["path"].startswith("/static/") else []
                message = {**message, "headers": [*message.get("headers", []), *HEADERS, *fresh]}
            await send(message)

        await self._app(scope, _counted(receive), sending)


def _counted(receive):
    total = 0

    async def receiving():
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > LARGEST_BODY:
            raise HTTPException(413, f"The request is larger than {LARGEST_BODY >> 20} MiB.")
        return message

    return receiving
