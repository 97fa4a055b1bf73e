"""What is told about calls to neighbours."""

from shared.http import ServiceClient
from shared.http.breaker import BreakerRules
from shared.telemetry.calls import CALLS
from shared.telemetry.metrics import Metrics


async def test_calls_are_in_the_metrics_of_the_process() -> None:
    client = ServiceClient("measured", "http://measured.test")
    assert 'http_client_retries_total{target="measured"} 0.0' in Metrics().render()[0].decode()
    CALLS.count("retries", "measured")
    CALLS.count("rejected", "measured")
    text = Metrics().render()[0].decode()
    assert 'http_client_retries_total{target="measured"} 1.0' in text
    assert 'http_client_rejected_total{target="measured"} 1.0' in text
    assert 'http_client_breaker_state{target="measured"} 0.0' in text
    for _ in range(BreakerRules().fewest_calls):
        client.breaker.leave(client.breaker.enter(), failed=True)
    assert 'http_client_breaker_state{target="measured"} 2.0' in Metrics().render()[0].decode()
    await client.close()
