"""Errors that a request can end with, and the one that keeps the service from starting."""

from typing import NamedTuple


class APIError(Exception):
    """A response with an error status.

    `message` goes on the wire; clients compare it letter for letter. `retry_after` is in seconds, None
    where trying again does not help.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class ErrorSpec(NamedTuple):
    """The status and message of an APIError; calling it makes one.

    The message may have placeholders in braces, as str.format takes them.
    """

    status: int
    message: str

    def __call__(self, retry_after: int | None = None, **values: object) -> APIError:
        """Make the APIError, with `values` in place of the placeholders."""
        return APIError(self.status, self.message.format(**values), retry_after)


class Unavailable(Exception):
    """A dependency cannot be reached: a 503 with `message`, and Retry-After in seconds."""

    def __init__(self, message: str, retry_after: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class CannotOpen(Exception):
    """The service cannot start with these settings. The message says what to change."""
