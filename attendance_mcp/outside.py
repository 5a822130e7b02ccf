"""Outside text: what parents and teachers typed, made harmless before an assistant reads it.

A comment may hold orders to the assistant, forged tool results, or characters that nobody sees. Whatever it
holds, it leaves here as one short line between two marks that it can't contain, in a field of type `Outside`.
Nothing else in an answer may come from what people typed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator

LIMIT = 200
OPEN, CLOSE = "⟪", "⟫"

# Letters, marks and symbols that show nothing (Default_Ignorable_Code_Point beyond the format category, and blanks
# that pass for letters): a text can be hidden in them.
_INVISIBLE = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFFFC, 0x13441, 0x13442, 0x16FE4, 0x1D159),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
    ]
)
_JOINERS = "\u200c\u200d"
# Scripts that are misspelt without joiners: Arabic and its relatives, the Indic scripts, Sinhala, Khmer, Mongolian.
_JOINED_SCRIPTS = re.compile(r"[\u0600-\u08ff\u0900-\u0dff\u1780-\u17ff\u1820-\u18aa\ufb50-\ufdff\ufe70-\ufefc]")
# ASCII, so that a letter of another script right before a link is no part of its word.
_LINK = re.compile(
    r"(?:[a-z0-9+.-]{1,20}:\s?//|\bwww\.|\b(?:javascript|data|mailto|vbscript)\s?:)\S*", re.IGNORECASE | re.ASCII
)
_MARKUP = str.maketrans(
    {
        # What Markdown, HTML and templates are made of, and the same in the width of Chinese letters.
        **dict.fromkeys("<>{}[]`*_#|~\\^$＜＞｛｝［］｀＊＿＃｜＼＾＄", " "),
        # The fence, and what looks like it, also where two of a sign stand together.
        **dict.fromkeys("⟪⟫⟦⟧《》≪≫︽︾⪡⪢⋘⋙⟨⟩〈〉︿﹀❬❭❮❯❰❱‹›", "'"),
        **dict.fromkeys('“”„«»"', "'"),
    }
)
# What most names are made of, in one piece: printable ASCII, Latin letters with their accents, Chinese characters. None
# of them is hidden or composes with another; letter by letter names would take most of an answer's time.
_ORDINARY = re.compile(r"[ -~\u00c0-\u024f\u1e00-\u1eff\u4e00-\u9fff]*")
_MOST_MARKS = 4  # combining marks on one letter; more are there to cover the lines around


def sanitise(text: str) -> str:
    """One line of at most 200 characters, in NFC, without controls, hidden characters, links or markup.

    Sanitising twice changes nothing.
    """
    line = unicodedata.normalize("NFC", text[: LIMIT * 20])
    line = _cut(_plain(line))
    # Removing a character can bring together two that compose, or a link's halves; a second look settles it.
    while (again := _cut(_plain(line))) != line:
        line = again
    return line


def fenced(text: str) -> str:
    """The sanitised text between the marks that it can't contain."""
    return f"{OPEN}{sanitise(text)}{CLOSE}"


OUTSIDE = AfterValidator(lambda text: text if not text or is_fenced(text) else fenced(text))
Outside = Annotated[str, OUTSIDE]
LEFT_OUT = "(text left out)"  # stands for outside text that whoever reads the answer may not see


def is_fenced(text: str) -> bool:
    """Whether the text already is what `fenced` makes of it."""
    return len(text) >= 2 and text[0] == OPEN and text[-1] == CLOSE and sanitise(text[1:-1]) == text[1:-1]


def holds_outside(value: Any) -> bool:
    """Whether any text in this JSON is outside text, and not empty."""
    match value:
        case str():
            return value.startswith(OPEN) and len(value) > 2 and is_fenced(value)
        case dict():
            return any(map(holds_outside, value.values()))
        case list():
            return any(map(holds_outside, value))
        case _:
            return False


def one_line(text: str, *, limit: int = 80) -> str:
    """A name or label of the school's as one visible line; its markup stays, since names hold brackets and dashes."""
    line = " ".join(_visible(text[: limit * 20]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _plain(text: str) -> str:
    without_links = _LINK.sub("(link)", _visible(text)).translate(_MARKUP)
    return " ".join(without_links.split())


def _visible(text: str) -> str:
    if _ORDINARY.fullmatch(text):
        return text
    kept: list[str] = []
    marks = 0
    for index, char in enumerate(text):
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            # A mark without a letter of its own would lie on what stands before the text: the fence, for one.
            if marks > _MOST_MARKS or not kept or kept[-1] == " ":
                continue
        else:
            marks = 0
        if char in _JOINERS:
            if kept and _JOINED_SCRIPTS.match(kept[-1]) and _JOINED_SCRIPTS.match(text[index + 1 : index + 2]):
                kept.append(char)
        elif category in ("Zs", "Zl", "Zp") or char in "\t\n\v\f\r\x85":
            kept.append(" ")
        elif category[0] != "C" and ord(char) not in _INVISIBLE:
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def _cut(line: str) -> str:
    return line if len(line) <= LIMIT else line[: LIMIT - 1].rstrip() + "…"
