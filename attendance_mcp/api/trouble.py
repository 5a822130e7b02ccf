"""What each status other than success means, in words and as an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from attendance_mcp.api.endpoints import Endpoint
from attendance_mcp.api.messages import in_words, refusal_fields, without_words
from attendance_mcp.api.policy import pause_wanted
from attendance_mcp.errors import (
    AttendanceError,
    NotAuthorised,
    NotFound,
    NotOffered,
    RateLimited,
    Refused,
    Unavailable,
    UnexpectedAnswer,
)

SUCCESS = frozenset({200, 201})
_SHORTEST_ECHO = 12
_OF_PEOPLE = ("student_id", "parent_id")
_UNKNOWN = " Whether the change was carried out is not known: read the record before trying again."


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came, and the operation that it answers."""

    endpoint: Endpoint
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    ids: Mapping[str, object] = field(default_factory=dict)
    about_people: bool = True  # whether an error may say whom it is about, and repeat the API's words

    def without(self, token: str) -> Answer:
        """The answer with the token taken out of its body: an API that echoes its request must not spread it.

        A token of few characters stays, since it may be a word of the answer's own.
        """
        body = self.body
        if len(token) >= _SHORTEST_ECHO:
            for form in {token, json.dumps(token)[1:-1], token.replace("/", "\\/")}:
                body = body.replace(form.encode(), b"(token)")
        return self if body is self.body else replace(self, body=body)


def error_of(answer: Answer) -> AttendanceError:
    """The error that a status other than success means."""
    make = _BY_STATUS.get(answer.status) or _BY_CLASS.get(answer.status // 100) or _unexpected
    return make(answer)


def unavailable(endpoint: Endpoint, *, what: str, left: bool = True) -> Unavailable:
    """No answer; `left` is false where the request never left this machine."""
    maybe_sent = endpoint.writes and left
    return Unavailable(f"{what} Try again later." + (_UNKNOWN if maybe_sent else ""), maybe_sent=maybe_sent)


def unexpected(endpoint: Endpoint, *, what: str) -> UnexpectedAnswer:
    """An answer that is not of the contract."""
    unknown = _UNKNOWN if endpoint.writes else ""
    return UnexpectedAnswer(
        f"The school's API gave an unexpected answer to {endpoint.name}: {what}.{unknown}", maybe_sent=endpoint.writes
    )


def _not_authorised(answer: Answer) -> AttendanceError:
    package = (
        "or the school's Extended APIs package, which this needs, may be off"
        if answer.endpoint.extended
        else "or the school's Extended APIs package may be off"
    )
    return NotAuthorised(
        f"The school's API does not allow {answer.endpoint.name} with this token ({answer.status}): the token may be "
        f"wrong, its permissions may not cover this, {package}. Ask whoever manages the school's API tokens."
    )


def _not_found(answer: Answer) -> AttendanceError:
    if answer.endpoint.assumed:
        return NotOffered(f"This school's API does not offer {answer.endpoint.name}.")
    told = {name: value for name, value in answer.ids.items() if answer.about_people or name not in _OF_PEOPLE}
    ids = ", ".join([*(f"{name} {value}" for name, value in told.items()), *(answer.ids.keys() - told.keys())])
    body = answer.body if answer.about_people else b""
    named = re.search(rb"Couldn't find ([A-Z][A-Za-z]{1,40}) with 'id'=(\d{1,16})\b", body)
    missing = f", it says, no {_spaced(named[1].decode())} {named[2].decode()}" if named else ""
    return NotFound(
        f"The school's API has no such record for {answer.endpoint.name} ({ids or 'no id'}){missing}. "
        "Look the id up again."
    )


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _refused(answer: Answer) -> AttendanceError:
    fields = refusal_fields(answer.body)
    if not answer.about_people:
        fields = without_words(fields)
    reasons = in_words(fields) or "it gave no reason"
    return Refused(f"The school's API refused {answer.endpoint.name}: {reasons}.", fields=fields)


def _rate_limited(answer: Answer) -> AttendanceError:
    pause = pause_wanted(answer.headers)
    when = f"in {max(1, round(pause))} seconds" if pause is not None and pause <= 3600 else "in a minute"
    return RateLimited(f"The school's API is being asked too often. Try again {when}.", retry_after=pause)


def _out_of_order(answer: Answer) -> AttendanceError:
    return unavailable(answer.endpoint, what=f"The school's API is out of order ({answer.status}).")


def _redirected(answer: Answer) -> AttendanceError:
    return unexpected(
        answer.endpoint,
        what=f"it points to another address ({answer.status}), which is not followed, since the token is for the one "
        "in ATTENDANCE_API_URL",
    )


def _unexpected(answer: Answer) -> AttendanceError:
    return unexpected(answer.endpoint, what=f"status {answer.status}")


_BY_STATUS: dict[int, Callable[[Answer], AttendanceError]] = {
    400: _refused,
    401: _not_authorised,
    403: _not_authorised,
    404: _not_found,
    422: _refused,
    429: _rate_limited,
}
_BY_CLASS: dict[int, Callable[[Answer], AttendanceError]] = {3: _redirected, 5: _out_of_order}
