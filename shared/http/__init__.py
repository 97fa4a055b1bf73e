"""Calls to neighbouring services: time limits, retries of what may be repeated, one mapping of failures."""

from shared.http.client import ATTEMPT_SECONDS, BUDGET_SECONDS, ServiceClient
from shared.http.failures import Rejected
from shared.http.retries import ATTEMPTS

__all__ = ["ATTEMPTS", "ATTEMPT_SECONDS", "BUDGET_SECONDS", "Rejected", "ServiceClient"]
