"""The one table of OVHcloud's routes; the other files of this folder fill it."""

from reconciler.sandbox.router import Register, Router
from reconciler.sandbox.shape import Shape

ROUTES = Router()


def get(path: str, *, anonymous: bool = False) -> Register:
    """Answer GET on a path."""
    return ROUTES.add("GET", path, anonymous=anonymous)


def post(path: str, fields: str = "", *, anonymous: bool = False) -> Register:
    """Answer POST on a path."""
    return ROUTES.add("POST", path, shape=Shape.of(fields), anonymous=anonymous)


def put(path: str, fields: str = "", *, anonymous: bool = False) -> Register:
    """Answer PUT on a path."""
    return ROUTES.add("PUT", path, shape=Shape.of(fields), anonymous=anonymous)


def delete(path: str, *, anonymous: bool = False) -> Register:
    """Answer DELETE on a path."""
    return ROUTES.add("DELETE", path, anonymous=anonymous)
