"""How an application says at a token URL who it is: in a header or in the form (RFC 6749, section 2.3.1)."""

import base64
import binascii
from urllib.parse import parse_qs

from reconciler.sandbox.call import Request


def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; of a field that stands twice, the first."""
    return {key: values[0] for key, values in parse_qs(request.body.decode(errors="replace")).items()}


def basic(request: Request) -> tuple[str, str] | None:
    """The id and the secret of the header, as they were sent; None where there are none."""
    header = request.headers.get("authorization", "")
    if not header.startswith("Basic "):
        return None
    try:
        name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret
