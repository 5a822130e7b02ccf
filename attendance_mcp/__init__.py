"""An MCP server over a school's attendance records: answers, not records; a write is what a person approved."""

__version__ = "0.1.0"
__all__ = ["__version__"]
