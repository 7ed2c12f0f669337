"""The HTTP API, one row per operation: which method of the client it is, how it is asked for, and which role it needs.

The server (`fleet.web.routes`) makes its routes of these rows, and `fleet.web.remote` its methods. A parameter goes into the path where the path
names it, into the query of a GET or DELETE, and into the JSON body of the rest.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Base64Bytes, BaseModel, Field, StrictBool

from fleet import webhooks
from fleet.web import results

PREFIX = "/api/v1"
PAGE, LARGEST_PAGE = 200, 1000
BYTES = "bytes"

_PLAIN = r"^[^\x00-\x1f\x7f\ud800-\udfff]*$"
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]+$", min_length=1, max_length=32, description="1 to 32 of a-z, 0-9 and -.")]
Boards = Annotated[list[Name], Field(max_length=10_000)]
SomeBoards = Annotated[list[Name], Field(min_length=1, max_length=10_000)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$", max_length=64)]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
Where = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=500, description="A filter, such as label.site=north and board=pico_w.")]
Number = Annotated[int, Field(ge=0, lt=1 << 31)]
Cursor = Annotated[int, Field(ge=0, lt=1 << 63)]
Count = Annotated[int, Field(ge=0, le=100_000)]
Moment = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False, description="Seconds since 1970.")]
Limit = Annotated[int, Field(ge=1, le=LARGEST_PAGE)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=366 * 86400)]
Days = Annotated[int, Field(strict=True, ge=1, le=36500)]
Event = Annotated[str, Field(pattern="^(%s)$" % "|".join(name.replace(".", "[.]") for name in webhooks.NAMES))]
Role = Annotated[str, Field(pattern="^(viewer|operator|admin)$")]


class SignedPackage(BaseModel):
    """A module and its signed manifest, both in base64."""

    envelope: Annotated[Base64Bytes, Field(max_length=64 * 1024, description="COSE_Sign1 over the manifest, as `fleet sign` makes it.")]
    payload: Annotated[Base64Bytes, Field(max_length=8 << 20, description="The module's bytes.")]


@dataclass(frozen=True)
class Operation:
    """One row. `page` names the field that pages are cut by, "" for what is not a list; `result` is the model of a row, or BYTES, or None."""

    method: str
    verb: str
    path: str
    role: str
    summary: str
    takes: dict = field(default_factory=dict)
    result: Any = None
    page: str = ""
    status: int = 200

    def place(self, name):
        """Where the parameter `name` goes: "path", "query" or "body"."""
        if f"{{{name}}}" in self.path:
            return "path"
        return "query" if self.verb in ("GET", "DELETE") else "body"


def _get(method, path, summary, result, page="", role="viewer", /, **takes):
    return Operation(method, "GET", path, role, summary, takes, result, page)


def _do(method, verb, path, role, summary, result=None, status=200, /, **takes):
    return Operation(method, verb, path, role, summary, takes, result, "", status)


_PART = {"after": Cursor, "device": Name | None, "limit": Limit}

OPERATIONS = (
    _get("devices", "/devices", "Boards by id, with what they run and should run.", results.Board, "id", group=Name | None, where=Where | None),
    _get("device", "/devices/{name}", "One board, with its capabilities, report and order.", results.BoardInFull, name=Name),
    _do(
        "add_device",
        "POST",
        "/devices",
        "admin",
        "Add a board and make its key.",
        results.BoardInFull,
        201,
        name=Name,
        group=Name,
        capabilities=list[Text] | None,
        board=Name | None,
        plain=bool,
    ),
    _do(
        "add_devices",
        "POST",
        "/devices/many",
        "admin",
        "Add many boards and make their keys.",
        None,
        204,
        names=SomeBoards,
        group=Name,
        capabilities=list[Text] | None,
        plain=bool,
    ),
    _do(
        "set_plain",
        "POST",
        "/devices/plain",
        "admin",
        "Whether boards, when they are provisioned anew, are told to do without TLS.",
        None,
        204,
        devices=SomeBoards,
        plain=bool,
    ),
    _do(
        "label",
        "POST",
        "/labels",
        "operator",
        "Set labels on boards; null removes one.",
        None,
        204,
        devices=SomeBoards,
        labels=dict[Text, Text | None],
    ),
    _do("remove_device", "DELETE", "/devices/{name}", "admin", "Forget a board: its key is void at once.", None, 204, name=Name),
    _get("identity", "/devices/{name}/identity", "The board's identity file, which holds its key.", BYTES, "", "admin", name=Name),
    _do("provisioned", "POST", "/devices/{name}/provisioned", "admin", "The board was set up anew and starts counting again.", None, 204, name=Name),
    _get("latest", "/devices/{device}/latest", "The board's place in its newest rollout, or null.", results.Target | None, device=Name),
    _get("groups", "/groups", "Groups and how many boards each has.", results.Group, "name"),
    _do("add_group", "POST", "/groups", "operator", "Make an empty group, unless it is there.", None, 204, name=Name),
    _do("join_group", "POST", "/groups/{name}/boards", "operator", "Put boards into a group.", None, 204, name=Name, devices=Boards),
    _do("leave_group", "POST", "/groups/{name}/boards/leave", "operator", "Take boards out of a group.", None, 204, name=Name, devices=Boards),
    _get(
        "manifest_groups",
        "/manifest-groups",
        "The groups that a manifest for these boards must name.",
        list[str],
        group=Name | None,
        where=Where | None,
    ),
    _get("keys", "/keys", "The release keys: who may sign what.", results.Key, "kid"),
    _get("root", "/keys/root", "The root key's public half, which boards trust.", results.Root),
    _get("key_list_blob", "/keys/list", "The root-signed list of release keys, as boards read it.", BYTES),
    _do(
        "install_keys",
        "POST",
        "/keys/list",
        "admin",
        "Make a list of keys that the root key signed the fleet's; every board is told.",
        results.KeyListInForce,
        201,
        blob=Annotated[Base64Bytes, Field(max_length=8192, description="The list, signed by the root key.")],
    ),
    _get("key", "/keys/{name}", "One key, by name, id or the beginning of one.", results.KeyInFull, name=Label),
    _get("service", "/service", "The running service, or null.", results.Service | None),
    _get("logs", "/logs", "Log lines with an id above `after`, oldest first.", results.Line, "id", **_PART),
    _get("log_start", "/logs/start", "The id after which the newest `count` lines come.", int, count=Count, device=Name | None),
    _get("log_since", "/logs/since", "The id after which the lines come that arrived at `then` or later.", int, then=Moment, device=Name | None),
    _get("readings", "/readings", "Readings with an id above `after`, oldest first.", results.Reading, "id", **_PART),
    _do(
        "push",
        "POST",
        "/rollouts",
        "operator",
        "Start a rollout of a signed module to a group or to the boards that meet a filter; nothing happens to boards that have it.",
        results.Pushed,
        201,
        package=SignedPackage,
        group=Name | None,
        timeout_s=Seconds | None,
        again=StrictBool,
        plan=dict | None,
        where=Where | None,
    ),
    _do(
        "unchanged",
        "POST",
        "/devices/unchanged",
        "viewer",
        "Those of some boards that were told to run this very release already.",
        list[str],
        200,
        devices=Boards,
        digest=Annotated[str, Field(pattern="^[0-9a-f]{64}$")],
    ),
    _do(
        "prune",
        "POST",
        "/prune",
        "admin",
        "Delete old log lines and readings.",
        results.Pruned,
        200,
        logs_days=Annotated[float, Field(ge=0, le=36500)],
        telemetry_days=Annotated[float, Field(ge=0, le=36500)],
    ),
    _do("pause_rollout", "POST", "/rollouts/{number}/pause", "operator", "Give no more orders.", None, 204, number=Number),
    _do("resume_rollout", "POST", "/rollouts/{number}/resume", "operator", "Go on; failures so far are forgiven.", None, 204, number=Number),
    _do("abort_rollout", "POST", "/rollouts/{number}/abort", "operator", "End it; unfinished boards go back.", results.Steered, 200, number=Number),
    _do("undo_rollout", "POST", "/rollouts/{number}/undo", "operator", "Give boards back what they ran before.", results.Steered, 200, number=Number),
    _do(
        "send_command",
        "POST",
        "/devices/{device}/commands",
        "operator",
        "Tell a board to do something, once, within a time.",
        results.Command,
        201,
        device=Name,
        name=Annotated[str, Field(pattern="^(restart|stop|start|identify|gc|config)$")],
        args=dict[Text, Text | Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]] | None,
        ttl_s=Annotated[int, Field(strict=True, ge=1, le=3600)],
    ),
    _get("command", "/commands/{number}", "What became of a command.", results.Command, number=Number),
    _get("latest_readings", "/readings/latest", "The newest reading of each name of each board.", results.LatestReading, "id"),
    _get("reading_start", "/readings/start", "The id after which the newest `count` readings come.", int, count=Count, device=Name | None),
    _get("rollouts", "/rollouts", "Rollouts, newest first.", results.RolloutRow, "-id", limit=Limit),
    _get("rollout", "/rollouts/{number}", "One rollout and how far each of its boards is.", results.Rollout, number=Number),
    _get("modules", "/modules", "Signed modules that were pushed, newest first.", results.Module, "digest"),
    _get("tokens", "/tokens", "Tokens of this API; secrets are not kept.", results.Token, "name", "admin"),
    _do(
        "create_token",
        "POST",
        "/tokens",
        "admin",
        "Make a token; its secret is shown this once.",
        results.NewToken,
        201,
        name=Label,
        role=Role,
        days=Days | None,
    ),
    _do("revoke_token", "DELETE", "/tokens/{name}", "admin", "Make a token void at once.", None, 204, name=Label),
    _get("webhooks", "/webhooks", "Webhooks, and how the last delivery went.", results.Webhook, "name", "admin"),
    _do(
        "add_webhook",
        "POST",
        "/webhooks",
        "admin",
        "Tell an address of rollouts; the secret that signs is shown this once.",
        results.NewWebhook,
        201,
        name=Label,
        url=Annotated[str, Field(pattern="^https?://[!-~]+$", max_length=500)],
        events=list[Event] | None,
    ),
    _do("remove_webhook", "DELETE", "/webhooks/{name}", "admin", "Tell that address no more.", None, 204, name=Label),
    _get("audit_start", "/audit/start", "The id after which the newest `count` events of the audit log come.", int, "", "admin", count=Count),
    _get("audit_log", "/audit", "Who did what, oldest first.", results.Event, "id", "admin", after=Cursor, limit=Limit),
)

# Methods of the client that are no operation of the API, and why.
LOCAL = {
    "fresh_identities": "for simulated boards on the fleet's own machine",
    "close": "of the caller's own client",
    "acting_as": "the token says who acts",
    "key_list": "made of key_list_blob",
    **dict.fromkeys(("webhook_secret", "due_webhooks", "claim_webhook", "release_webhook", "note_webhook"), "the postman's, beside the database"),
    "distrust": "POST /inspect and POST /rollouts tell",
    "holder": "only the server looks tokens up",
}
