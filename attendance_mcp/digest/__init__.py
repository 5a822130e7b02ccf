"""Records + names + rules -> the facts of an answer. Pure: no I/O, no clock, no MCP."""
