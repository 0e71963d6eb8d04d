"""What a fault makes of an answer at the Microsoft surfaces."""

from msgspec.structs import replace

from reconciler.sandbox.call import Reply
from reconciler.sandbox.faults import Faults, twisted

_HTML = (
    b"<html><head><title>Service Unavailable</title></head><body><h2>Our services aren't available right now</h2>"
    b"</body></html>\n"
)


def meant(faults: Faults, prefix: str) -> Faults:
    """Keep the faults that were asked for with a path that begins so: tokens are hit by no others."""
    return replace(faults, rows=tuple(row for row in faults.rows if str(row["path"]).startswith(prefix)))


def before(faults: Faults, surface: str) -> Reply | None:
    """Give what answers in place of the surface, if anything does."""
    if faults.take("refuse") is not None:
        return Reply(0, lost="refused")
    if faults.take("lose-reply-before") is not None:
        return Reply(0, lost="before")
    return instead(faults, surface)


def instead(faults: Faults, surface: str) -> Reply | None:
    """Give what answers in place of the surface where there is an answer; one of a batch has always one."""
    slow_down = faults.take("throttle")
    if slow_down is not None:
        return throttled(surface, int(float(slow_down.get("seconds", 2))))
    if faults.take("html") is not None:
        return Reply(503, raw=_HTML, media_type="text/html")
    if faults.take("error-before") is not None:
        return broken(surface)
    return None


def after(faults: Faults, reply: Reply, surface: str) -> Reply:
    """Give the answer as it leaves once everything has happened."""
    if faults.take("lose-reply-after") is not None:
        return replace(reply, lost="after")
    if faults.take("error-after") is not None:
        return broken(surface)
    if faults.take("malformed") is not None:
        return replace(reply, raw=b'{"id": "cut o')
    if faults.take("wrong-types") is not None:
        return replace(reply, content=twisted(reply.content))
    slow = faults.take("slow")
    return reply if slow is None else replace(reply, wait=float(slow.get("seconds", 60)))


def throttled(surface: str, seconds: int) -> Reply:
    """Answer 429 the way a surface does."""
    headers = {"Retry-After": str(seconds)}
    if surface == "graph":
        text = "Please retry again later."
        return Reply(429, {"error": {"code": "TooManyRequests", "message": text}}, headers)
    text = f"Rate limit is exceeded. Try again in {seconds} seconds."
    return Reply(429, {"statusCode": 429, "message": text}, headers)


def broken(surface: str) -> Reply:
    """Answer 500 the way a surface does."""
    match surface:
        case "graph":
            return Reply(500, {"error": {"code": "InternalServerError", "message": "Something went wrong."}})
        case "login":
            return Reply(
                500, {"error": "server_error", "error_description": "AADSTS90033: A transient error."}
            )
    body = {"code": 900000, "description": "Internal server error", "data": [], "source": "PartnerFD"}
    return Reply(500, body)
