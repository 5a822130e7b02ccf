"""The server over streamable HTTP: one address for a school."""

from attendance_mcp.http.app import http_app

__all__ = ["http_app"]
