"""The service with one more path, /hang, which never returns: python -m faults.hanging serve."""

import time
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

import main


def application() -> ASGIApp:
    """Build the ASGI application. uvicorn calls this once in each worker."""
    service = main.application()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/hang":
            time.sleep(3600)  # noqa: ASYNC251 – this is what it is for
        await service(scope, receive, send)

    return app


if __name__ == "__main__":
    run = uvicorn.run

    def run_this(_: str, **options: Any) -> None:
        run("faults.hanging:application", **options)

    uvicorn.run = run_this  # type: ignore[assignment]
    main.cli(prog_name="main.py")
