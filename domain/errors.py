"""The two ways in which a question ends without its answer, and one in which nothing can be asked."""

from typing import NamedTuple


class APIError(Exception):
    """The client asked for something it cannot have.

    `status` is the HTTP status, `message` the text on the wire: part of the contract, kept to the letter.
    `retry_after` is in seconds, where asking again later may help.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class ErrorSpec(NamedTuple):
    """What a refusal says, and with which HTTP status; calling it makes one.

    The message is part of the contract, kept to the letter. In braces stand the names of what differs each time.
    """

    status: int
    message: str

    def __call__(self, retry_after: int | None = None, **values: object) -> APIError:
        """A refusal in these words."""
        return APIError(self.status, self.message.format(**values), retry_after)


class Unavailable(Exception):
    """Something behind this service does not answer: a 503 that says what, and when to come back.

    `retry_after` is in seconds.
    """

    def __init__(self, message: str, retry_after: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class CannotOpen(Exception):
    """The settings ask for what is not there, and does not come by waiting: the text says what to do."""
