"""The desk: what waits for me, who waits outside, and one box to find a customer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from foregate.counter.sessions import OnDuty
from foregate.doors.console.duty import actor_of, world_of
from foregate.doors.console.live import state_of
from foregate.doors.console.queue import Board, board_of, watch
from foregate.doors.console.render import may, respond


async def show_desk(request: Request, duty: OnDuty) -> Response:
    """My proposals, those that wait for my consent, and the queue."""
    rows = await request.app.state.counter.proposals.open(actor_of(request, duty))
    mine = [row for row in rows if row.is_mine]
    others = [row for row in rows if not row.is_mine]
    board = await _board(request, duty)
    seen = state_of([[(row.proposal_id, row.awaits_code) for row in rows], board.state if board else ""])
    return respond(request, duty, "desk.html", tab="home", mine=mine, others=others, board=board, seen=seen)


async def _board(request: Request, duty: OnDuty) -> Board | None:
    outlet = getattr(request.state, "outlet", None)
    return await board_of(world_of(request), outlet) if outlet is not None and may(duty, "run-queue") else None


async def watch_desk(request: Request, duty: OnDuty) -> Response:
    """Say when something on the desk moved. It is one state for everybody at an outlet."""
    world, outlet_id = world_of(request), duty.member.outlet_id

    async def read() -> str:
        board = await _board(request, duty)
        async with world.store.begin() as tx:
            rows = await tx.proposals.open_at(outlet_id, world.clock.now())
        return state_of([[(row.proposal_id, row.awaits_code) for row in rows], board.state if board else ""])

    return watch(request, duty, request.app.state.live, f"desk:{outlet_id}:{duty.member.role}", read)
