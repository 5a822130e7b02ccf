"""Processes that are forked off one that has imported everything: starting the command anew takes a second each."""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "tests.changes.killing",
        "tests.cli.terminal",
        "attendance_mcp.cli",
        "attendance_mcp.server",
        "attendance_mcp.stdio",
        "attendance_mcp.changes.store",
        "attendance_mcp.api.transport",
        "attendance_mcp.commands.approve",
        "attendance_mcp.window.plans",
        "httpx",
        "httpcore",
        "truststore",
        "stamina",
        "psycopg",
        "sqlalchemy.dialects.sqlite",
        "sqlalchemy.dialects.postgresql.psycopg",
    ]
)
