"""Cold start to `tools/list` over stdio, beside a bare server of the SDK and a bare one of FastMCP."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import IO, Any

from benchmarks.peer import NO_PEER
from benchmarks.table import OK, OVER, Table, within
from benchmarks.upstream import ROOT, TOKEN, compile_bytecode, plain_environment

RUNS = 7
TIMES_BARE = 1.25
BARE_SDK = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def ping() -> str:
    "Answers pong."
    return "pong"
server.run("stdio")
"""
BARE_FASTMCP = """
from fastmcp import FastMCP
server = FastMCP("bare")
@server.tool
def ping() -> str:
    "Answers pong."
    return "pong"
server.run("stdio", show_banner=False)
"""


async def measure() -> list[Table]:
    """The table of this part."""
    table = Table(f"Cold start to tools/list over stdio, median of {RUNS} runs in turns",
                  ("server", "seconds", "slowest", "memory, MB", "× bare SDK", "budget", ""))  # fmt: skip
    servers = {"attendance-mcp": ["-m", "attendance_mcp"], "bare SDK server": ["-c", BARE_SDK]}
    if importlib.util.find_spec("fastmcp"):
        servers["bare FastMCP server"] = ["-c", BARE_FASTMCP]
    else:
        table.note(NO_PEER)
    compile_bytecode()
    for command in servers.values():
        start(command)  # the files come into the machine's memory, and what is compiled by importing is compiled
    runs: dict[str, list[tuple[float, float]]] = {called: [] for called in servers}
    for _ in range(RUNS):
        for called, command in servers.items():
            runs[called].append(start(command))
    seconds = {called: median(second for second, _ in own) for called, own in runs.items()}
    bare = seconds["bare SDK server"]
    for called, own in runs.items():
        budget = TIMES_BARE if called == "attendance-mcp" else None
        ratio = seconds[called] / bare
        table.add(called, seconds[called], max(second for second, _ in own), median(memory for _, memory in own),
                  ratio, budget, within(ratio, budget))  # fmt: skip
    if "bare FastMCP server" in seconds:
        below = seconds["attendance-mcp"] < seconds["bare FastMCP server"]
        table.note(f"Below FastMCP's: {OK if below else OVER}.")
    table.note("From starting the process to the last byte of the answer; bytecode compiled first.")
    return [table]


def start(arguments: list[str]) -> tuple[float, float]:
    """Seconds until the tools are listed, and the process's memory by then in MB (0 where /proc doesn't tell)."""
    environment = plain_environment() | {
        # A token and an address that nothing listens on: listing the tools reads nothing.
        "ATTENDANCE_API_URL": "http://127.0.0.1:1",
        "ATTENDANCE_API_TOKEN": TOKEN,
        "ATTENDANCE_TIMEZONE": "Asia/Singapore",
    }
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        try:
            _say(process.stdin, id=1, method="initialize", params=hello)
            _hear(process.stdout, 1)
            _say(process.stdin, method="notifications/initialized")
            _say(process.stdin, id=2, method="tools/list", params={})
            listed = _hear(process.stdout, 2)
            took = time.perf_counter() - began
            if not listed["result"]["tools"]:
                raise RuntimeError("the server lists no tools")
            return took, memory(process.pid)
        finally:
            process.kill()


def _say(stream: IO[bytes], **message: Any) -> None:
    stream.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    stream.flush()


def _hear(stream: IO[bytes], id: int) -> dict[str, Any]:
    for line in stream:
        message: dict[str, Any] = json.loads(line)
        if message.get("id") == id:
            return message
    raise RuntimeError("the server ended before it answered")


def memory(process: int) -> float:
    """The process's memory in MB, 0 where /proc doesn't tell."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return 0.0
    lines = (line.split() for line in status.read_text().splitlines())
    return next((int(words[1]) / 1024 for words in lines if words[0] == "VmRSS:"), 0.0)
