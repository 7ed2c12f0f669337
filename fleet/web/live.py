"""Server-sent events: what has changed in the fleet, found by looking at it now and then while somebody listens."""

import asyncio
import json
import time

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from fleet.web.operations import PREFIX

LOOK_S = 0.4
# A look at many boards takes a while: at most this share of the time is spent on looking.
BUSY_SHARE = 0.1
ALIVE_S = 15.0
QUEUED = 200
ROWS = 500


class Looker:
    """Compares the fleet with how it was at the last look, through a client."""

    def __init__(self, client):
        self._client = client
        self._boards = {}
        self._rollouts = {}
        self._service = None
        self._line = client.log_start(0)
        self._reading = client.reading_start(0)

    def look(self):
        """[(event, data)] of what has changed."""
        return [*self._changed_boards(), *self._changed_rollouts(), *self._changed_service(), *self._new_lines(), *self._new_readings()]

    def _changed_boards(self):
        boards = {row["id"]: row for row in self._client.devices()}
        changed = [row for name, row in boards.items() if self._boards.get(name) != row]
        gone = [name for name in self._boards if name not in boards]
        self._boards = boards
        return [("boards", {"changed": changed, "gone": gone})] if changed or gone else []

    def _changed_rollouts(self):
        rollouts = {row["id"]: row for row in self._client.rollouts(50)}
        changed = [row for number, row in rollouts.items() if self._rollouts.get(number) != row]
        self._rollouts = rollouts
        return [("rollouts", changed)] if changed else []

    def _changed_service(self):
        before, self._service = self._service, self._client.service()
        return [("service", self._service)] if self._service != before else []

    def _new_lines(self):
        rows = self._client.logs(self._line, None, ROWS)
        self._line = rows[-1]["id"] if rows else self._line
        return [("logs", rows)] if rows else []

    def _new_readings(self):
        rows = self._client.readings(self._reading, None, ROWS)
        self._reading = rows[-1]["id"] if rows else self._reading
        return [("readings", rows)] if rows else []


class Live:
    """Looks at the fleet while there are listeners, and tells all of them."""

    def __init__(self, client):
        self._client = client
        self._listeners = set()
        self._task = None
        self._beginning = asyncio.Lock()

    async def listen(self):
        """Events for one listener, as server-sent events' text; ends if the listener is too slow, which makes a browser begin anew."""
        queue = asyncio.Queue(QUEUED)
        self._listeners.add(queue)
        try:
            await self._begin()
            yield f"retry: 2000\n{spell('hello', {'now': time.time()})}"
            while queue in self._listeners or not queue.empty():
                try:
                    text = await asyncio.wait_for(queue.get(), ALIVE_S)
                except TimeoutError:
                    text = ": still here\n\n"
                if text is None:
                    return
                yield text
        finally:
            self._listeners.discard(queue)

    async def _begin(self):
        """Take the first look, unless somebody listens already: what happens after it will be told."""
        async with self._beginning:
            if self._task is None or self._task.done():
                looker = await run_in_threadpool(Looker, self._client)
                await run_in_threadpool(looker.look)
                self._task = asyncio.create_task(self._watch(looker))

    async def _watch(self, looker):
        while self._listeners:
            start = time.monotonic()
            for event, data in await run_in_threadpool(looker.look):
                self._tell(spell(event, data))
            await asyncio.sleep(max(LOOK_S, (time.monotonic() - start) / BUSY_SHARE))

    def stop(self):
        """End all streams: the server goes."""
        self._tell(None)

    def _tell(self, text):
        for queue in list(self._listeners):
            try:
                queue.put_nowait(text)
            except asyncio.QueueFull:
                self._listeners.discard(queue)


def spell(event, data):
    """One server-sent event."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def add_events(app, guard, client):
    """The route of the events; `app.state.live` ends them."""
    app.state.live = live = Live(client)
    viewer = guard("viewer")

    @app.get(
        f"{PREFIX}/events",
        summary="What changes, as it happens: server-sent events boards, rollouts, service, logs and readings.",
        operation_id="events",
        tags=["events"],
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
        response_class=StreamingResponse,
    )
    async def events(_client=Depends(viewer)):
        return StreamingResponse(live.listen(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
