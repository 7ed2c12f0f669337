"""The HTTP application: the operations of the API, live events, the dashboard's files, and plain words for everything that goes wrong."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from fleet.errors import ERROR, SIGNATURE, USAGE, Denied, FleetError, Missing, Taken
from fleet.web.guard import Guard, Unknown, add_session
from fleet.web.live import add_events
from fleet.web.metrics import add_metrics
from fleet.web.operations import PREFIX
from fleet.web.routes import add_routes
from fleet.web.shield import Shield
from fleet.web.tools import add_tools

STATIC = Path(__file__).parent / "static"
ABOUT = """What the `fleet` command can do, over HTTP. Show a token in the header `Authorization: Bearer …`.

Lists come in pages: `items`, and `next` to ask for what follows with `after`. Every error is a sentence in `error`, with the command line's exit
code in `code`. GET answers with an ETag and heeds If-None-Match."""


def make_app(client):
    """The ASGI application over a `fleet.client.LocalClient`."""
    app = FastAPI(title="WasmFleet", version="1", description=ABOUT, openapi_url=f"{PREFIX}/openapi.json", docs_url=None, redoc_url=None)
    guard = Guard(client)
    add_session(app, guard, client)
    add_routes(app, guard)
    add_events(app, guard, client)
    add_tools(app, guard)
    add_metrics(app, guard)
    _add_errors(app)

    @app.get("/", include_in_schema=False)
    def page():
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Shield)
    return app


def status_of(error):
    """The HTTP status for a `FleetError`."""
    for kind, status in ((Unknown, 401), (Denied, 403), (Missing, 404), (Taken, 409)):
        if isinstance(error, kind):
            return status
    return {USAGE: 422, SIGNATURE: 403}.get(error.code, 400)


def _problem(status, sentence, code=ERROR, headers=None):
    return JSONResponse({"error": sentence, "code": code}, status, headers)


def _add_errors(app):
    @app.exception_handler(FleetError)
    def told(_request, error):
        return _problem(status_of(error), error.sentence, error.code, {"WWW-Authenticate": "Bearer"} if isinstance(error, Unknown) else None)

    @app.exception_handler(RequestValidationError)
    def malformed(_request, error):
        return _problem(422, "; ".join(_fault(row) for row in error.errors()), USAGE)

    @app.exception_handler(HTTPException)
    def refused(request, error):
        words = {404: f"There is nothing at {request.url.path}.", 405: f"{request.url.path} does not take {request.method}."}
        return _problem(error.status_code, words.get(error.status_code, str(error.detail)), USAGE, error.headers)

    @app.exception_handler(SQLAlchemyError)
    def broken(_request, _error):
        return _problem(503, "The database does not answer. Try again; if it stays so, look at the log of `fleet up`.")


def _fault(row):
    """One complaint of the validator: where and what."""
    place = ".".join(str(part) for part in row["loc"] if part not in ("body", "query", "path"))
    return f"{place}: {row['msg']}" if place else row["msg"]
