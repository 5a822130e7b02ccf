"""The errors that a person may be shown: what happened and what to do next.

* AttendanceError
  + ArgumentError         an argument of the caller's
  + SettingsError         a setting is missing or can't be used
  + NotAllowed            the school's policy denies it to this caller
  + NotOffered            the operation is only assumed, and this school's API has none
  + UpstreamError
    - NotAuthorised       the token may not do this
    - NotFound            no such record
    - Refused             the API does not accept a value; `fields` says which
    - RateLimited         asked too often
    - Unavailable         no answer, or one that says that the API is out of order
    - UnexpectedAnswer    an answer that is not of the contract
  + PlanError
    - PlanNotFound        no such plan, or another caller's
    - PlanExpired         nobody agreed to it in time
    - PlanStale           a record has moved since the plan was made
    - PlanMismatch        the confirmation came with other arguments or another summary
    - NotApproved         nobody has agreed to the plan
    - StoreUnavailable    plans can't be read or written

No message holds a token, an address with its query or the body of an answer.
"""
# ruff: noqa: N818  the names say what happened; each ends up in a sentence, and `Error` adds nothing to it

from __future__ import annotations

from collections.abc import Mapping


class AttendanceError(Exception):
    """Anything that went wrong and can be told; its text is safe to show."""


class ArgumentError(AttendanceError):
    """An argument can't be used; the text names the ones that can."""


class SettingsError(AttendanceError):
    """A setting is missing or can't be used."""


class NotAllowed(AttendanceError):
    """The school's policy doesn't let this caller do it; nothing was changed."""


class NotOffered(AttendanceError):
    """The contract only assumes this operation, and the school's API has none."""


class UpstreamError(AttendanceError):
    """The school's API did not do what it was asked."""


class NotAuthorised(UpstreamError):
    """The token is wrong, or its permissions or the school's Extended APIs package are missing; nothing was changed."""


class NotFound(UpstreamError):
    """The school has no such record; nothing was changed."""


class Refused(UpstreamError):
    """The API does not accept a value; nothing was changed.

    `fields` gives its reasons by field, sanitised and cut; `base` holds what is about no field.
    """

    def __init__(self, message: str, *, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, list[str]] = dict(fields or {})


class RateLimited(UpstreamError):
    """The API was asked too often; nothing was changed. `retry_after` is in seconds, None where it was not said."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(UpstreamError):
    """No answer, or one that says that the API is out of order.

    `maybe_sent` is true where the request was a write that may have been carried out all the same.
    """

    def __init__(self, message: str, *, maybe_sent: bool = False) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent


class UnexpectedAnswer(UpstreamError):
    """An answer that is not of the contract.

    `maybe_sent` is true where the request was a write that may have been carried out all the same.
    """

    def __init__(self, message: str, *, maybe_sent: bool = False) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent


class PlanError(AttendanceError):
    """A plan can't be made, shown or carried out."""


class PlanNotFound(PlanError):
    """No plan has this confirmation, or it is another caller's."""


class PlanExpired(PlanError):
    """Nobody agreed to the plan while it lived."""


class PlanStale(PlanError):
    """A record has moved since the plan was made."""


class PlanMismatch(PlanError):
    """The confirmation came with other arguments or another summary than the plan's."""


class NotApproved(PlanError):
    """Nobody has agreed to the plan: declined, unanswered, or there is nobody to ask."""


class StoreUnavailable(PlanError):
    """Plans and changes can't be read or written, so that nothing may be sent."""
