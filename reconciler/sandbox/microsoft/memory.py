"""`MS-RequestId`: a write of Partner Center that is sent again under the same id is answered, not done, again."""

import hashlib
import json
from collections.abc import Callable

from reconciler.sandbox.call import Call, Reply
from reconciler.sandbox.microsoft.errors import classic


def once(call: Call, act: Callable[[], Reply]) -> Reply:
    """Act, unless the request was made before; how long it is remembered is a setting.

    One id under two different requests is refused. What really happens then is documented nowhere
    (Partner Center's page about headers, 2023-10).
    """
    request = call.request
    assert request is not None  # noqa: S101 - the face made the call
    number = request.headers.get("ms-requestid", "")
    if not number or not request.raw_path.startswith("/partner-center/"):
        return act()
    digest = hashlib.sha256(request.body).hexdigest()
    what = f"{request.method} {request.raw_path} {digest}"
    since = call.tx.now - call.tx.settings.request_memory
    row = call.tx.one("SELECT * FROM ms_reply WHERE id = ? AND at > ?", number, since)
    if row is None:
        return _kept(call, number, what, act())
    if row["what"] != what:
        raise classic(3000, "MS-RequestId", text="MS-RequestId was used for another request")
    content = json.loads(row["content"])
    raw = b"" if content is None else None
    return Reply(row["status"], content, json.loads(row["headers"]), raw=raw)


def _kept(call: Call, number: str, what: str, reply: Reply) -> Reply:
    call.tx.run("DELETE FROM ms_reply WHERE at <= ?", call.tx.now - call.tx.settings.request_memory)
    call.tx.run(
        "INSERT OR REPLACE INTO ms_reply VALUES (?, ?, ?, ?, ?, ?)",
        *(
            number,
            call.tx.now,
            what,
            reply.status,
            json.dumps(reply.content),
            json.dumps(dict(reply.headers)),
        ),
    )
    return reply
