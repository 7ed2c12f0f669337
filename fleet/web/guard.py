"""Who is asking: a token in the Authorization header, or in the cookie that a browser was given for one."""

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import BaseModel, Field

from fleet import tokens
from fleet.errors import Denied
from fleet.web import results
from fleet.web.operations import PREFIX
from fleet.web.routes import problems

COOKIE = "fleet_session"
COOKIE_DAYS = 30
# A page of another site can make a browser send a form with our cookie, but not this header.
SAME_SITE_HEADER = "x-fleet-dashboard"

_bearer = HTTPBearer(auto_error=False, description="A token of `fleet token create`.")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by POST /session, for browsers.")


class Unknown(Denied):
    """There is no valid token in the request."""


class Login(BaseModel):
    """A token that a browser exchanges for a cookie."""

    token: str = Field(max_length=200, pattern=r"^[\x21-\x7e]+$")


class Guard:
    """Finds the holder of a request's token in the store of `client`."""

    def __init__(self, client):
        self._client = client

    def who(self, request: Request, bearer=Security(_bearer), cookie=Security(_cookie)):
        """The holder ({"name", "role"}); `Unknown` if there is none."""
        secret = bearer.credentials if bearer else cookie
        holder = self._client.holder(secret) if secret and secret.isascii() else None
        if holder is None:
            raise Unknown("A valid token is needed: `fleet token create` makes one, `fleet up` prints a link with one.")
        if bearer is None and request.method not in ("GET", "HEAD") and SAME_SITE_HEADER not in request.headers:
            raise Denied(f"A request with a cookie needs the header {SAME_SITE_HEADER} too, so that no other site can send it.")
        return holder

    def secret(self, bearer=Security(_bearer), cookie=Security(_cookie)):
        """The token itself, for the signer, which looks it up on its own."""
        return bearer.credentials if bearer else cookie

    def __call__(self, role):
        """A dependency: the client that acts for the holder, whose role must be enough for `role`."""

        def client(holder=Depends(self.who)):
            if not tokens.may(holder["role"], role):
                raise Denied(f"The token {holder['name']} is for a {holder['role']}; this needs the role {role}.")
            return self._client.acting_as(f"token:{holder['name']}")

        return client


def add_session(app, guard, client):
    """Routes for browsers: log in, who am I, log out."""

    path, tags = f"{PREFIX}/session", ["session"]

    @app.post(path, summary="Exchange a token for a cookie.", operation_id="login", tags=tags, responses=problems(400, 401, 413, 422, 503))
    def login(login: Login, request: Request, response: Response) -> results.Holder:
        holder = client.holder(login.token)
        if holder is None:
            raise Unknown("This token is not valid, or not any more. `fleet up` prints a link with one.")
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, login.token, max_age=COOKIE_DAYS * 86400, httponly=True, samesite="strict", secure=secure)
        return results.Holder(name=holder["name"], role=holder["role"])

    @app.get(path, summary="Who is asking.", operation_id="whoami", tags=tags, responses=problems(401, 403, 503))
    def whoami(holder=Depends(guard.who)) -> results.Holder:
        return results.Holder(name=holder["name"], role=holder["role"])

    @app.delete(path, summary="Forget the cookie.", operation_id="logout", tags=tags, status_code=204, responses=problems(413))
    def logout(response: Response) -> None:
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
