"""HTML that can't be broken out of: every text is escaped unless an element was made of it here."""

from __future__ import annotations

from html import escape

from attendance_mcp.outside import one_line

_EMPTY = frozenset({"meta", "link", "input"})


class Html(str):
    """A piece of a document that is safe as it stands. Only this module makes one."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | bool) -> Html:
    """`<name …>children</name>`; an attribute's `_` is a dash (`aria_label`), True is bare, False left out."""
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not False
    )
    return Html(f"<{name}{given}>" if name in _EMPTY else f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: str) -> Html:
    """The pieces one after the other, each text among them escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def typed(text: str) -> Html:
    """A text that may hold what people typed: one visible line, whole, whose direction ends where it ends.

    Without `bdi` a name in Arabic, or a stray control for the direction, would turn round the words beside it.
    """
    # Composing can make a text longer: nothing of what is written may be cut.
    return element("bdi", one_line(text, limit=4 * len(text) + 1))


def document(*head: str, body: Html) -> Html:
    """A whole document."""
    whole = element("html", element("head", element("meta", charset="utf-8"), *head), body, lang="en")
    return join(Html("<!doctype html>"), whole)
