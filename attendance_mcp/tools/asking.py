"""The client's question to its user, in both eras of the protocol.

In the 2026 era the call ends with the question, and comes again with the answer: the plan's code rides in the request's
state, which the SDK seals. Before it, the question goes out while the call waits, and nobody waits for ever.
Whether an answer serves once is not decided here: carrying a plan out is claimed once in the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult

from attendance_mcp.changes.asking import Question, Reply

_ASKS_BY_ANSWERING = "2026-07-28"  # from this version on a call answers with what it wants to know
_KEY = "approve"


class AskFirst(Exception):  # noqa: N818  no error: the call has to come again with the answer
    """Leaves a call whose client must first ask its user."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__()
        self.result = result


@dataclass(eq=False)
class ClientAsker:
    """Asks through the client of one call."""

    context: Context[Any, Any]
    seconds: float

    def can_ask(self) -> bool:
        """Whether a form can be shown: declared for forms (a URL alone is none), or bare as older clients do.

        Over stateless HTTP an older client declares nothing, and nothing can be sent to it.
        """
        declared = self.context.client_capabilities
        elicitation = declared.elicitation if declared else None
        return elicitation is not None and (elicitation.form is not None or elicitation.url is None)

    async def ask(self, question: Question) -> Reply:
        """The reply. Raises AskFirst where the call must come again with it."""
        if (self.context.protocol_version or "") < _ASKS_BY_ANSWERING:
            return await self._ask_now(question)
        responses = self.context.input_responses
        if responses is None:
            params = ElicitRequestFormParams(message=await question.message(), requested_schema=_form(question))
            requests: dict[str, Any] = {_KEY: ElicitRequest(params=params)}
            raise AskFirst(InputRequiredResult(input_requests=requests, request_state=question.code))
        if self.context.request_state != question.code:
            return Reply.OF_ANOTHER_PLAN
        reply = responses.get(_KEY)
        return _reply(reply, question) if isinstance(reply, ElicitResult) else Reply.CANCELLED

    async def _ask_now(self, question: Question) -> Reply:
        message = await question.message()
        with anyio.move_on_after(self.seconds):
            try:
                reply = await self.context.session.elicit_form(
                    message, _form(question), related_request_id=self.context.request_id
                )
            except MCPError:  # declared, and yet the client can't
                return Reply.CANCELLED
            return _reply(reply, question)
        return Reply.SILENCE


def _form(question: Question) -> dict[str, Any]:
    field: dict[str, Any]
    if question.deletions:
        name, field = "deletions", {"type": "integer", "title": "To delete, type how many excusals are deleted"}
    else:
        name, field = "apply", {"type": "boolean", "title": "Write these changes"}
    return {"type": "object", "properties": {name: field}, "required": [name]}


def _reply(result: ElicitResult, question: Question) -> Reply:
    """Accepting with the box unticked, or with another number, is a no."""
    if result.action != "accept":
        return Reply.NO if result.action == "decline" else Reply.CANCELLED
    content = result.content or {}
    if not question.deletions:
        return Reply.YES if content.get("apply") is True else Reply.NO
    typed = content.get("deletions")
    if isinstance(typed, bool):
        return Reply.NO
    return Reply.YES if str(typed).strip() in (f"{question.deletions}", f"{question.deletions}.0") else Reply.NO
