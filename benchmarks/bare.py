"""`python -m benchmarks.bare ANSWERS [--http]`: what the SDK alone makes of `find_in_school`, to be loaded beside ours.

Its one tool has the answers ready in a file and looks them up, so whatever time a call takes is the SDK's.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel


class Student(BaseModel):
    """What `find_in_school` tells of a student."""

    asked: str
    kind: str
    id: int
    name: str
    of: str = ""
    number: str = ""
    homeroom: str = ""
    classes: dict[int, str] = {}
    parents: dict[int, str] = {}
    siblings: dict[int, str] = {}


class Found(BaseModel):
    found: list[Student]


def bare(answers: dict[str, dict[str, Any]]) -> MCPServer[Any]:
    """A server with one tool in the way of the SDK's documents: typed, its structure published and checked."""
    server: MCPServer[Any] = MCPServer("bare", log_level="ERROR")

    @server.tool()
    async def find_in_school(names_or_ids: list[str]) -> Annotated[CallToolResult, Found]:
        """Who up to 60 names or ids mean."""
        answer = answers[names_or_ids[0]]
        return CallToolResult(
            content=[TextContent(type="text", text=answer["text"])], structured_content=answer["structured"]
        )

    return server


def over_http(server: MCPServer[Any]) -> None:
    """Serves as attendance_mcp.http does: stateless, with JSON responses, and says where."""
    import uvicorn

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            # uvicorn binds the port itself: on a socket that is handed over, asyncio leaves Nagle's delay on.
            await super().startup(sockets)
            sys.stderr.write(f"serving on http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}/mcp\n")
            sys.stderr.flush()

    app = server.streamable_http_app(stateless_http=True, json_response=True)
    Announced(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)).run()


if __name__ == "__main__":
    server = bare(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    if "--http" in sys.argv:
        over_http(server)
    else:
        server.run("stdio")
