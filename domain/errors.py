"""The two ways in which a question ends without its answer, and one in which nothing can be asked."""


class Refusal(Exception):
    """The client asked for something it cannot have.

    `status` is the HTTP status, `message` the text on the wire: part of the contract, kept to the letter.
    `retry_after` is in seconds, where asking again later may help.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


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
