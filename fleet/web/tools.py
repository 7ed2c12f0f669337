"""What the dashboard needs besides the client's operations: words for states, and a look into a module or package before it is pushed."""

import base64
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Base64Bytes, BaseModel, Field

from fleet import bundle, signer, words
from fleet.errors import USAGE, FleetError
from fleet.inspection import inspect
from fleet.web import results
from fleet.web.operations import PREFIX
from fleet.web.routes import problems

LARGEST_MODULE = 2 << 20


class Unsigned(BaseModel):
    """A module to be signed."""

    module: Annotated[Base64Bytes, Field(min_length=1, max_length=LARGEST_MODULE, description="The .wasm file, in base64.")]
    file: str = Field("module.wasm", min_length=1, max_length=100, description="Its name.")
    settings: str = Field("", max_length=10000, description="The text of its manifest.toml.")
    group: str = Field(max_length=32, description="The group of boards that it is for.")


def add_tools(app, guard):
    """The routes of this file."""
    viewer, operator = guard("viewer"), guard("operator")
    answers = problems(401, 403, 413, 422, 503)
    body = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}, "required": True}

    @app.get(f"{PREFIX}/words", summary="Sentences for the reasons and states of boards.", operation_id="words", tags=["words"], responses=answers)
    def explain(_client=Depends(viewer)) -> results.Words:
        return results.Words(reasons=words.REASONS, steps=words.STEPS, pauses=words.PAUSES)

    @app.post(
        f"{PREFIX}/inspect",
        summary="What a .wasm file or a signed package is, and whether boards would take it. Nothing is kept.",
        operation_id="inspect",
        tags=["inspect"],
        responses=answers,
        openapi_extra={"requestBody": body},
    )
    async def look(request: Request, name: str = Query("module.wasm", max_length=100), client=Depends(operator)) -> results.Inspection:
        return await run_in_threadpool(inspection, client, await request.body(), name)

    @app.post(
        f"{PREFIX}/sign",
        summary="Sign a module with the key of `fleet up --signer`, for whoever may push.",
        operation_id="sign",
        tags=["inspect"],
        responses=problems(400, 401, 403, 404, 413, 422, 503),
    )
    def sign(asked: Unsigned, token=Depends(guard.secret), client=Depends(operator)) -> results.Inspection:
        data = signer.ask(client.home, token, asked.module, asked.file, asked.settings, asked.group)
        return inspection(client, data, asked.file)


def inspection(client, data, name):
    """`results.Inspection` of a module's or a package's bytes."""
    if not data or len(data) > LARGEST_MODULE:
        raise FleetError(f"A module has 1 byte to {LARGEST_MODULE >> 20} MiB, not {len(data)} bytes.", USAGE)
    if not bundle.is_bundle(data):
        return results.Inspection(report=inspect(data, name), signer=signer.available(client.home))
    package = bundle.unpack(data, name)
    manifest = package.manifest
    told = {"name": manifest.name, "version": manifest.version, "kid": package.kid, "groups": manifest.groups, "capabilities": manifest.capabilities}
    sealed = {part: base64.b64encode(getattr(package, part)).decode() for part in ("envelope", "payload")}
    module = bytes(package.payload[: manifest.size])
    return results.Inspection(report=inspect(module, name), package=sealed, manifest=told, trust=client.distrust(package))
