"""The upstream's error forms, raised by a handler and turned into the answer by the app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DURATION = "The duration must be a positive number, and it must be between 1 and 12, inclusively"


class RefusedError(Exception):
    """A request that is answered with an error: its HTTP status and the JSON of its body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def access_denied() -> RefusedError:
    return RefusedError(401, {"error": "Access Denied"})


def forbidden() -> RefusedError:
    return RefusedError(403, {"error": "You are not allowed to do this."})


def not_found(model: str, id: object) -> RefusedError:
    """Name a missing record in the words of Rails' `find`."""
    return RefusedError(404, {"error": f"Couldn't find {model} with 'id'={id}"})


def no_such_route() -> RefusedError:
    return RefusedError(404, {"error": "Not Found"})


def bad_payload() -> RefusedError:
    return RefusedError(400, {"error": "Invalid payload data structure."})


def invalid(fields: Mapping[str, list[str]]) -> RefusedError:
    """Name the values that are not acceptable, by field."""
    return RefusedError(422, {"errors": dict(fields)})


def not_permitted(allowed: Iterable[str]) -> RefusedError:
    """Name the keys that an operation takes where it got others: the other form of a 422."""
    return RefusedError(422, {"error": "Unpermitted parameters found.", "allowed_params": list(allowed)})
