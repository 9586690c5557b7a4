"""A bounded number of worker processes, for which a bounded number of jobs waits."""

import asyncio

from storage.workers.process import Worker, WorkerKind


class QueueFull(Exception):
    """Too many jobs wait for a worker, or this one has waited too long."""


class WorkerPool:
    """Runs jobs in worker processes. A job waits for a free worker for as long as a job may take."""

    def __init__(self, kind: WorkerKind, *, workers: int, queue: int) -> None:
        """`queue` is how many jobs may wait."""
        self._workers = [Worker(kind) for _ in range(workers)]
        self._idle = list(self._workers)
        self._free = asyncio.Semaphore(workers)
        self._queue_left = queue
        self._timeout = kind.seconds

    async def run(self, job: bytes, key: str = "") -> bytes:
        """Return the reply to a job, preferably from the worker that had the last job with this key.

        Raise QueueFull, WorkerFailed, NotStarting or NotInstalled.
        """
        await self._wait_for_worker()
        try:
            worker = self._take(key)
            try:
                return await worker.run(job)
            finally:
                self._idle.append(worker)
        finally:
            self._free.release()

    async def _wait_for_worker(self) -> None:
        if self._queue_left <= 0:
            raise QueueFull
        self._queue_left -= 1
        try:
            async with asyncio.timeout(self._timeout):
                await self._free.acquire()
        except TimeoutError:
            raise QueueFull from None
        finally:
            self._queue_left += 1

    def _take(self, key: str) -> Worker:
        worker = next((idle for idle in self._idle if idle.last_key == key), self._idle[0])
        self._idle.remove(worker)
        worker.last_key = key
        return worker

    async def close(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            await worker.stop()
