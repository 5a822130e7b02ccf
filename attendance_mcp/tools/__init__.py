"""The MCP face: one typed function a tool, a few lines each."""
