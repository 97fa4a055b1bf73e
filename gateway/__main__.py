"""`python -m gateway` serves."""

from gateway.config import GatewayConfig
from gateway.factory import create_app
from shared.server import load_or_exit, serve

if __name__ == "__main__":
    config = load_or_exit(GatewayConfig)
    serve(create_app(config), config)
