"""OpenTelemetry for a server: spans and durations of calls and of requests to the school's API, to a collector.

The providers are our own and not the process's: a library's spans may hold what a client sent, the name of a tool that
isn't there or a trace's state, and go nowhere (the SDK's are not even made). The standard environment variables say
where ours go.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attendance_mcp import __version__
from attendance_mcp.measure import Facts, What, measure_with

_ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)

log = logging.getLogger(__name__)


def begin_measuring() -> Callable[[], None]:
    """Measures from now on for the collector that the environment names, if it names one; what it gives ends that."""
    if not any(os.environ.get(name) for name in _ENDPOINTS) or os.environ.get("OTEL_SDK_DISABLED", "") == "true":
        return lambda: None
    try:
        sending = _Sending()
    except ImportError:
        log.warning("OTEL_EXPORTER_OTLP_ENDPOINT needs one more package: attendance-mcp[otel]. Nothing is measured.")
        return lambda: None
    measure_with(sending.measure)
    return sending.close


class _Sending:
    """Raises ImportError where the extra `otel` is not installed."""

    def __init__(self) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "attendance-mcp"}
        resource = Resource.create({**named, "service.version": __version__})
        self._spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        self._metrics = MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)
        self._tracer = self._spans.get_tracer("attendance_mcp")
        self._durations = self._metrics.get_meter("attendance_mcp").create_histogram(
            "attendance.duration", unit="s", description="How long calls and requests to the school's API take."
        )

    @contextmanager
    def measure(self, what: What, facts: Facts) -> Iterator[None]:
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, get_current_span

        begun = time.monotonic()
        kind = SpanKind.SERVER if what == "tool" else SpanKind.CLIENT
        # A span that isn't ours stands for what the client said of its own trace.
        within = None if get_current_span().is_recording() else Context()
        with self._tracer.start_as_current_span(
            what, context=within, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            finally:
                told = {f"attendance.{name}": value for name, value in facts.items()}
                span.set_attributes(told)
                self._durations.record(time.monotonic() - begun, {"attendance.what": what, **told})

    def close(self) -> None:
        """Sends what is left."""
        measure_with(None)
        self._spans.shutdown()
        self._metrics.shutdown()
