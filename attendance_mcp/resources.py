"""The resources: what a host may attach to a chat before anything is asked. No URI names a student.

The SDK opens a resource without its caller, so that the server reads them itself, as a tool is run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.resources import Resource
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, InputRequiredResult
from pydantic import AnyUrl

from attendance_mcp.answer import answer
from attendance_mcp.digest.context import StatusCodes
from attendance_mcp.digest.facts import Facts
from attendance_mcp.errors import AttendanceError
from attendance_mcp.school.school import School
from attendance_mcp.tools.context import get_school_context, labels_now
from attendance_mcp.tools.tool import Office


async def status_codes(school: School) -> StatusCodes:
    """What each code of a mark is called in this school, by what it counts as."""
    return StatusCodes.of(await labels_now(school))


@dataclass(frozen=True, slots=True)
class _Card:
    """What is told of a resource in the list, and what it reads."""

    title: str
    description: str
    facts: Callable[[School], Awaitable[Facts]]


RESOURCES: dict[str, _Card] = {
    "attendance://context": _Card(
        "The school at a glance",
        "Today, programmes, year groups and current terms with ids, labels and what they count as.",
        get_school_context,
    ),
    "attendance://status-codes": _Card(
        "Status codes and labels",
        "What each code of a mark is called in this school, and what it counts as.",
        status_codes,
    ),
}


class _Listed(Resource):
    """A resource as it stands in the list."""

    async def read(self) -> str | bytes:
        raise TypeError("a resource is read for its caller, by the server")  # pragma: no cover  the SDK's interface


class ResourceServer(MCPServer[Any]):
    """An MCPServer with the school's resources."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        for uri, card in RESOURCES.items():
            self.add_resource(
                _Listed(
                    uri=uri,
                    name=uri.removeprefix("attendance://"),
                    title=card.title,
                    description=card.description,
                    mime_type="text/plain",
                )
            )

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        card = RESOURCES.get(str(uri))
        if card is None or context is None:
            try:
                return await super().read_resource(uri, context)
            except ResourceNotFoundError:
                known = ", ".join(RESOURCES)
                raise MCPError(INVALID_PARAMS, f"There is no such resource. There are: {known}.") from None
        office: Office = context.request_context.lifespan_context
        try:
            school = office.school(context)
            facts = office.disclosure.facts(await card.facts(school))
            result = answer(facts, demo=office.demo, limited=not school.sees_everybody)
        except AttendanceError as error:
            raise MCPError(code=INTERNAL_ERROR, message=str(error)) from None
        text = "\n".join(block.text for block in result.content if block.type == "text")
        return [ReadResourceContents(content=text, mime_type="text/plain")]
