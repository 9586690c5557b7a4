"""Collects questions to Redis into batches, so that many of them cost one command."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from storage.redis_client import RedisAway

Q = TypeVar("Q")
A = TypeVar("A")


class Batches(Generic[Q, A]):
    """Asks questions together that come while others are being asked.

    A question that comes alone is asked at once. One connection is enough, and under load there are fewer commands
    than questions.
    """

    def __init__(self, ask: Callable[[list[Q]], Awaitable[Sequence[A]]], *, most: int) -> None:
        """`ask` returns an answer to each of up to `most` questions. It must end in time."""
        self._ask = ask
        self._most = most
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def get(self, question: Q) -> A:
        """Return the answer to a question. Raise what `ask` raises, and RedisAway if it was cancelled."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def close(self) -> None:
        """Wait until nothing is being asked."""
        if self._sender is not None:
            await asyncio.wait({self._sender})

    async def _send(self) -> None:
        """Ask until no question is waiting, or one batch has failed."""
        batch: list[tuple[Q, asyncio.Future[A]]] = []
        failure: Exception = RedisAway("the task that asks was cancelled")
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                answers = await self._ask([question for question, _ in batch])
                for (_, future), answer in zip(batch, answers, strict=True):
                    # It is cancelled if the client has gone away.
                    if not future.done():
                        future.set_result(answer)
        except Exception as error:
            failure = error
        finally:
            # However this ends, nobody waits for it any longer: neither those without an answer, nor those whose
            # question came meanwhile.
            for _, future in batch + self._waiting:
                if not future.done():
                    future.set_exception(failure)
                    # So that asyncio does not log it if nobody is there to retrieve it.
                    future.exception()
            self._waiting = []
            self._sender = None
