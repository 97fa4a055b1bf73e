"""Why an upload or an import is refused as a whole."""

from shared.errors import GeraiError, NotFound, PayloadTooLarge


class ImportNotFound(NotFound):
    """No import of that id exists for the caller."""

    code = "IMPORT_NOT_FOUND"
    template = "Import with id '{uuid}' not found"


class TooManyRows(PayloadTooLarge):
    """The file has more rows than one import takes."""

    code = "TOO_MANY_ROWS"
    template = "The file has more than {limit} rows. Split it, and import the parts one after the other."


class UploadTooSlow(GeraiError):
    """The file took too long to arrive."""

    status = 408
    code = "UPLOAD_TOO_SLOW"
    template = "The file did not arrive within {minutes} minutes. Nothing was imported; send it again."
