"""What a collector of OpenTelemetry receives of `serve --http`: tools, operations and times, and nobody's name."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.upstream_school import TOKEN, on_a_port

from .served import served

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal")
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Its address, and the path and body of what it received."""
    came: list[tuple[str, bytes]] = []

    async def app(scope, receive, send):
        body, more = b"", scope["type"] == "http"
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if scope["type"] == "http":
            came.append((scope["path"], body))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    with on_a_port(app) as url:
        yield url, came


def call(url: str, tool: str, **arguments: object) -> dict:
    meta = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "mia=tanaka"}
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return httpx.post(f"{url}/mcp", headers=HEADERS, json=body, trust_env=False, timeout=30).json()["result"]


def attributes(found) -> dict[str, str | int]:
    return {
        one.key.removeprefix("attendance."): one.value.string_value or one.value.int_value for one in found.attributes
    }


def test_calls_and_requests_are_measured_and_neither_names_nor_tokens_nor_arguments_leave(same_school):
    first, last = same_school.one("select first_name, last_name from students order by id")
    with collector() as (url, came):
        settings = {**same_school.environment(), "OTEL_EXPORTER_OTLP_ENDPOINT": url}
        with served(settings) as server:
            found = call(server.url, "find_in_school", names_or_ids=[f"{first} {last}"])
            refused = call(server.url, "list_absences", group=f"{last} House")
            unknown = call(server.url, f"{first} {last}")
            server.process.send_signal(signal.SIGTERM)
            server.rest()
    assert [result["isError"] for result in (found, refused, unknown)] == [False, True, True]

    traces = [ExportTraceServiceRequest.FromString(body) for path, body in came if path == "/v1/traces"]
    spans = [
        span
        for request in traces
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    tools = {span.span_id: attributes(span) for span in spans if span.name == "tool"}
    assert list(tools.values()) == [
        {"tool": "find_in_school", "outcome": "answered"},
        {"tool": "list_absences", "outcome": "refused"},
    ]
    upstream = [span for span in spans if span.name == "upstream"]
    assert {"operation": "list_students", "status": 200} in [attributes(span) for span in upstream]
    assert {span.name for span in spans} == {"tool", "upstream"}
    assert {span.parent_span_id for span in upstream} <= set(tools)
    assert len([entry for entry in same_school.log if entry.path]) >= len(upstream) > 0

    metrics = [ExportMetricsServiceRequest.FromString(body) for path, body in came if path == "/v1/metrics"]
    points = [
        attributes(point)
        for request in metrics
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.histogram.data_points
        if metric.name == "attendance.duration"
    ]
    assert {"what": "tool", "tool": "find_in_school", "outcome": "answered"} in points

    everything = b"".join(body for _, body in came).decode("utf-8", "replace")
    people = same_school.rows("select first_name, last_name from students")
    assert f"{first} {last}" in str(found)
    for secret in (TOKEN, "tanaka", "0af7651916cd43dd", *(f"{one} {other}" for one, other in people), last):
        assert secret not in everything


def test_a_collector_that_is_away_takes_nothing_from_the_server(same_school):
    settings = {**same_school.environment(), "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    with served({**settings, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}) as server:
        assert not call(server.url, "get_school_context")["isError"]
        server.process.send_signal(signal.SIGTERM)
        lines = server.rest()
    assert {line["event"] for line in lines} >= {"request", "stopped"}
    assert "127.0.0.1:1/" not in str(lines)
