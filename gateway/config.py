"""What the gateway reads from its environment."""

from shared.config import Port, ProcessConfig, TokenConfig


class GatewayConfig(ProcessConfig, frozen=True, kw_only=True):
    """The gateway's configuration: the services behind it, and the private port of its metrics."""

    token: TokenConfig
    auth_url: str
    client_url: str
    store_url: str
    metrics_port: Port
