"""The gateway's numbers and texts."""

MEBIBYTE = 1024 * 1024

MOST_JSON_BYTES = 2 * MEBIBYTE
"""The largest request body of a route that takes JSON."""

MOST_IMPORT_BYTES = 1024 * MEBIBYTE
"""The largest file of an import; it is passed on as it arrives."""

SMALL_BODY_BYTES = 64 * 1024
"""Bodies of a known length up to this travel in one piece, larger ones as a stream."""

MOST_BUFFERED_BYTES = 64 * 1024
"""What waits for a slow reader before its writer is paused, each way."""

CONNECT_SECONDS = 1.0
CONNECT_PAUSE_SECONDS = 0.05
"""The wait before a refused connection is tried a second time."""

IDLE_SECONDS = 20.0
"""How long an unused connection to a service is kept: less than the 75 s for which services keep theirs."""

MOST_CONNECTIONS = 1000
"""Connections to one service at a time; a request that needs one more is refused."""

ANSWER_SECONDS = 15.0
"""What a service has for its answer, unless its route says otherwise."""

GRACE_SECONDS = 0.05
"""What a service may overrun its time limit to say itself that it did."""

PATIENCE_SECONDS = 0.1
"""Exchanges that last longer are watched for clients that leave."""

DOCUMENT_SECONDS = 10.0
"""How long the merged OpenAPI document is kept."""
