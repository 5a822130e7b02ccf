"""One module a command of `attendance-mcp`, loaded when it is called; each holds it as `command`."""
