"""Prometheus metrics of any process; docs/metrics.md lists them all.

Labels are route templates, classes of errors and other words of ours: callers cannot add series.
"""

from prometheus_client import CollectorRegistry, Gauge, Info, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from shared.telemetry.calls import CALL_DURATIONS, CALLS
from shared.telemetry.durations import Durations
from shared.telemetry.event_loop import EventLoopLag
from shared.telemetry.labels import UNMATCHED, method_label
from shared.telemetry.refusals import RATE_LIMITED


class Metrics:
    """The metrics of one process, in a registry of its own, to which its parts add theirs.

    `active` is the number of requests being served.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # a second series for each, which nobody asks for
        self.registry = CollectorRegistry()
        self.active = 0
        self.loop_lag = EventLoopLag(self.registry)
        ProcessCollector(registry=self.registry)
        active = Gauge("http_server_active_requests", "Requests being served.", registry=self.registry)
        active.set_function(lambda: self.active)
        self._requests = Durations[str, str, int](
            "http_server_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            ("method", "route", "status"),
        )
        for collector in (self._requests, CALLS, CALL_DURATIONS, RATE_LIMITED):
            self.registry.register(collector)

    def identify(self, service: str, version: str, revision: str) -> None:
        """Tell which process this is, and what it was built from."""
        build = Info("gerai_build", "What this process was built from; always 1.", registry=self.registry)
        build.info({"service": service, "version": version, "revision": revision})

    def observe_request(
        self, method: str, route: str | None, status: int, seconds: float, trace_id: str | None = None
    ) -> None:
        """Count one request of `route`, a template such as `/v1/stores/{uuid}`; None if none matched.

        `trace_id` is that of its trace, if it is recorded.
        """
        self._requests.observe((method_label(method), route or UNMATCHED, status), seconds, trace_id)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the exposition that a scraper accepts, and its content type; OpenMetrics has exemplars."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
