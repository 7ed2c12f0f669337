"""Makes FastAPI's routes of the rows of `fleet.web.operations`: each endpoint calls one method of the client and answers with what it returns."""

import inspect
import json
from hashlib import sha256
from typing import Annotated

from fastapi import Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, create_model

from fleet.client import LocalClient
from fleet.errors import USAGE, FleetError
from fleet.web import results
from fleet.web.operations import BYTES, OPERATIONS, PAGE, PREFIX, Limit, SignedPackage

_ASK = {"path": Path, "query": Query}
PROBLEMS = {
    400: "It can't be done as things are.",
    401: "No token, or none that is valid.",
    403: "The token's role may not do this, or a signature is not trusted.",
    404: "There is no such thing.",
    409: "It is there already, or its state does not allow this.",
    413: "The request is too large.",
    422: "The request is not well-formed.",
    503: "The database does not answer.",
}


def problems(*codes):
    """The OpenAPI `responses` of these error codes."""
    return {code: {"model": results.Problem, "description": PROBLEMS[code]} for code in codes}


def add_routes(app, guard):
    """Give `app` a route for each operation; `guard(role)` is the dependency that gives an endpoint its client."""
    for row in OPERATIONS:
        app.add_api_route(
            PREFIX + row.path,
            _endpoint(row, guard(row.role)),
            methods=[row.verb],
            status_code=row.status,
            summary=row.summary,
            operation_id=row.method,
            response_model=None,
            responses={**_success(row), **problems(*PROBLEMS)},
            tags=[row.path.split("/")[1]],
            openapi_extra={"x-role": row.role},
        )


def _success(row):
    if row.result == BYTES:
        return {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}, "description": "The file."}}
    if row.result is None:
        return {row.status: {"description": "Done."}}
    answers = {row.status: {"model": _page_model(row) if row.page else row.result, "description": "What was asked for."}}
    return {**answers, 304: {"description": "It has not changed since the ETag in If-None-Match."}} if row.verb == "GET" else answers


def _page_model(row):
    return create_model(f"{row.result.__name__}Page", __base__=results.Row, items=(list[row.result], ...), next=(str | None, ...))


def _defaults(row):
    """{parameter: default} of the client's method, for those that have one."""
    found = inspect.signature(getattr(LocalClient, row.method)).parameters
    return {name: found[name].default for name in row.takes if found[name].default is not inspect.Parameter.empty}


def _endpoint(row, client):
    """The function that FastAPI calls; its signature says what the operation takes."""

    def endpoint(request: Request, client, **given):
        _check_query(request)
        page = given.pop("page", None) or _Page()
        body = given.pop("body", None)
        values = {**given, **({name: getattr(body, name) for name in type(body).model_fields} if body is not None else {})}
        if row.page and "limit" in row.takes:
            values["limit"] = page.limit
        found = getattr(client, row.method)(**{name: _native(value) for name, value in values.items()})
        return answer(request, row, cut(row, found, page) if row.page else found)

    endpoint.__name__ = row.method
    endpoint.__doc__ = getattr(LocalClient, row.method).__doc__
    endpoint.__signature__ = inspect.Signature([*_parameters(row), inspect.Parameter("client", _KEYWORD, default=Depends(client))])
    return endpoint


def _check_query(request):
    """Of a parameter that is given twice, nobody knows which is meant."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            raise FleetError(f"{name} is given {names.count(name)} times.", USAGE)


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


class _Page:
    """Which part of a list is asked for: what follows `after`, at most `limit` rows."""

    def __init__(self, after=None, limit=PAGE):
        self.after, self.limit = after, limit


def _cursor(after: str | None = Query(None, max_length=64, description="`next` of the page before."), limit: Limit = PAGE):
    return _Page(after, limit)


def _size(limit: Limit = PAGE):
    return _Page(None, limit)


def _parameters(row):
    """The endpoint's parameters: path and query one by one, the body as one model, a list's page."""
    defaults = _defaults(row)
    found = [inspect.Parameter("request", _KEYWORD, annotation=Request)]
    body = {}
    for name, kind in row.takes.items():
        place = row.place(name)
        if place == "body":
            body[name] = (kind, defaults.get(name, ...))
        elif name != "limit" or not row.page:
            default = defaults.get(name, inspect.Parameter.empty) if place == "query" else inspect.Parameter.empty
            found.append(inspect.Parameter(name, _KEYWORD, annotation=Annotated[kind, _ASK[place]()], default=default))
    if body:
        model = create_model(f"{row.method.title().replace('_', '')}Request", **body)
        found.append(inspect.Parameter("body", _KEYWORD, annotation=model, default=Body()))
    if row.page:
        found.append(inspect.Parameter("page", _KEYWORD, default=Depends(_size if "limit" in row.takes else _cursor)))
    return found


def _native(value):
    """A value of the API as the client takes it."""
    if isinstance(value, SignedPackage):
        from fleet.deploy import read_package

        return read_package(value.envelope, value.payload)
    return value


def cut(row, found, page):
    """One page of a list: {"items", "next"}; lists that the client has cut itself go on after their last row."""
    key = row.page.removeprefix("-")
    if "limit" in row.takes:
        full = len(found) == page.limit and "after" in row.takes
        return {"items": found, "next": str(found[-1][key]) if full and found else None}
    places = {str(item[key]): place for place, item in enumerate(found)} if page.after is not None else {}
    if page.after is not None and page.after not in places:
        first = next((place for place, item in enumerate(found) if _follows(item[key], page.after)), len(found))
    else:
        first = places[page.after] + 1 if page.after is not None else 0
    items = found[first : first + page.limit]
    return {"items": items, "next": str(items[-1][key]) if first + page.limit < len(found) else None}


def _follows(value, after):
    """Whether a row comes after the cursor `after` (text), whose own row is gone."""
    if isinstance(value, int):
        if not after.isascii() or not after.isdigit():
            raise FleetError(f"after: {after!r} is no cursor of this list.", USAGE)
        return value > int(after)
    return value > after


def answer(request, row, found):
    """The response: bytes as they are, JSON with an ETag where it was read, nothing as 204."""
    if row.status == 204:
        return Response(status_code=204)
    if row.result == BYTES:
        return Response(found, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})
    text = json.dumps(found.model_dump() if isinstance(found, BaseModel) else found, ensure_ascii=False, separators=(",", ":")).encode()
    if row.verb != "GET":
        return Response(text, row.status, media_type="application/json", headers={"Cache-Control": "no-store"})
    tag = f'"{sha256(text).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [part.strip() for part in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(text, row.status, media_type="application/json", headers=headers)
