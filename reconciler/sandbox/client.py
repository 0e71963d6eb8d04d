"""The way to a world inside the same process: an httpx transport in place of the network."""

import httpx

from reconciler.sandbox.app import LateReplyError, LostReplyError, application
from reconciler.sandbox.world import World

HOST = "sandbox.localhost"
BASE_URL = f"http://{HOST}/1.0"
TOKEN_URL = f"http://{HOST}/auth/oauth2/token"
MICROSOFT_URLS = {
    "login": f"https://{HOST}/login",
    "partner_center": f"https://{HOST}/partner-center",
    "graph": f"https://{HOST}/graph",
}
"""The roots of the Microsoft surfaces; Partner Center's version v1 and Graph's v1.0 follow, as at the real ones."""


def transport(world: World) -> httpx.AsyncBaseTransport:
    """Give a transport that answers for the sandbox's host and reaches nothing else."""
    return _Transport(world)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, world: World) -> None:
        self._inner = httpx.ASGITransport(app=application(world))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != HOST:
            raise httpx.ConnectError(f"{request.url.host} is not the sandbox", request=request)
        try:
            return await self._inner.handle_async_request(request)
        except LostReplyError as error:
            if error.reached:
                raise httpx.ReadError("the connection died", request=request) from error
            raise httpx.ConnectError("the connection was refused", request=request) from error
        except LateReplyError as error:
            limit = (request.extensions.get("timeout") or {}).get("read")
            if limit is not None and error.seconds > limit:
                raise httpx.ReadTimeout(f"no answer within {limit} s", request=request) from error
            # Nobody waits inside one process: a client that would have been patient has its answer now.
            answer = error.answer
            return httpx.Response(answer.status_code, headers=answer.headers.raw, content=bytes(answer.body))
