"""What only the gateway answers."""

from shared.errors import GeraiError, InvalidInput, ServiceUnavailable


class AmbiguousPath(InvalidInput):
    """The path could mean another resource to another server."""

    code = "AMBIGUOUS_PATH"
    template = "The path must not have dot segments, encoded slashes, backslashes or control characters."


class SlowRequest(GeraiError):
    """The client stopped sending."""

    status = 408
    code = "REQUEST_TIMEOUT"
    template = "The request body did not arrive in time. Send it again."


class UnknownTransferCoding(GeraiError):
    """The body is encoded for transfer in a way this gateway cannot read (RFC 9112, section 6.1)."""

    status = 501
    code = "UNKNOWN_TRANSFER_CODING"
    template = "Send the body with a Content-Length or with Transfer-Encoding: chunked."


class DocumentUnavailable(ServiceUnavailable):
    """A service has not described itself yet."""

    code = "DOCUMENT_UNAVAILABLE"
    template = "The {service} service has not published its description yet. Try again shortly."


class ClientGone(Exception):
    """The client has left; nobody is there to be answered."""
