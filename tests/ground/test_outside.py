"""What people typed leaves as one short harmless line, whatever it holds."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from attendance_mcp.outside import CLOSE, LIMIT, OPEN, Outside, fenced, holds_outside, is_fenced, one_line, sanitise
from tests.outside.corpus import CANARY, HOSTILE, SILENT

NAMED_AS_NOTHING = re.compile(
    r"^VARIATION SELECTOR|FREE VARIATION SELECTOR|^HANGUL .*FILLER|^HALFWIDTH HANGUL FILLER|KHITAN .*FILLER|"
    r"BRAILLE PATTERN BLANK|^INVISIBLE|^ZERO WIDTH|^TAG |^WORD JOINER|GRAPHEME JOINER|NULL NOTEHEAD|"
    r"HIEROGLYPH (FULL|HALF) BLANK"
)
# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, which the standard library doesn't have.
IGNORABLE = frozenset(
    number
    for first, last in (
        (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    )
    for number in range(first, last + 1)
)  # fmt: skip
JOINERS = "\u200c\u200d"
FENCE = {OPEN, CLOSE}
LOOK_ALIKES = '⟪⟫⟦⟧《》≪≫︽︾⪡⪢⋘⋙⟨⟩〈〉︿﹀❬❭❮❯❰❱‹›«»“”„"'
MARKUP = "<>{}[]`*_#|~\\^$＜＞｛｝［］｀＊＿＃｜＼＾＄"
CHUNK = LIMIT // 2 - 1  # code points that fit into one line with a letter between them
# A text made of what attacks are made of, so that chance finds their combinations.
NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            [*"⟪⟫<>[](){}`*_#|\\\"'“”«»…:/", "\n", "\r", "\u2028", "\u200d", "\u202e", "\u0300", "\ufe0f", "\u0338"]
        ),
        st.sampled_from(["https://", "www.", "javascript:", "(link)", "h", "t", "p", "ا", "क", "\u094d", "a" * 60]),
        st.characters(),
    ),
    max_size=40,
).map("".join)


def harmless(char: str) -> bool:
    """Whether a character is seen, stays in its place and is assigned."""
    category = unicodedata.category(char)
    return (
        category[0] != "C"
        and category not in ("Zl", "Zp")
        and (category != "Zs" or char == " ")
        and ord(char) not in IGNORABLE
        and not NAMED_AS_NOTHING.search(unicodedata.name(char, ""))
    )


def all_of_unicode() -> Iterator[list[str]]:
    """Every code point once, assigned or not, the halves of surrogates among them."""
    for first in range(0, sys.maxunicode + 1, CHUNK):
        yield [chr(number) for number in range(first, min(first + CHUNK, sys.maxunicode + 1))]


# --- characters ---


def test_no_code_point_of_unicode_survives_that_shows_nothing_or_steers():
    survived = set()
    for chunk in all_of_unicode():
        line = sanitise("a".join(chunk))
        assert not set(line) & FENCE
        survived |= set(line)
        assert sanitise(line) == line
    assert sorted(char for char in survived if not harmless(char)) == []


def test_the_same_holds_for_names_and_labels_which_keep_their_markup():
    survived = set()
    for chunk in all_of_unicode():
        line = one_line("a".join(chunk), limit=LIMIT)
        survived |= set(line)
        assert one_line(line, limit=LIMIT) == line
    assert sorted(char for char in survived if not harmless(char)) == []
    assert one_line("Music [Wind & Brass] (Y9) – {A}_#1") == "Music [Wind & Brass] (Y9) – {A}_#1"


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian needs the one that keeps apart
        "क्\u200dष क्\u200cष",  # Devanagari needs both
        "ශ්\u200dරී ලංකා",
    ],
)
def test_joiners_stay_inside_scripts_that_need_them(text):
    assert sanitise(text) == unicodedata.normalize("NFC", text)
    assert one_line(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "text", ["a\u200db", "a\u200cب", "ب\u200da", "\u200dب", "ب\u200d", "ب\u200d", "1\u200d2", "👨\u200d👩"]
)
def test_joiners_go_everywhere_else(text):
    assert not set(sanitise(text)) & set(JOINERS)


def test_names_and_texts_of_every_script_stay_as_they_were():
    for text in (
        "Έχει πυρετό και μένει στο σπίτι.",
        "Ha dolore all’orecchio; torna lunedì.",
        "子涵 发烧, 在家休息。",
        "الأب يعتذر عن الغياب",
        "बुखार है, घर पर आराम कर रहे हैं।",
        "Kẹ́hìndé Ògúnlẹ́yẹ",
        "家里有事, 请假。",
        "Lê Thị Diễm đau bụng",
        "O'Connell & Sons (9:05)!",
    ):
        assert sanitise(text) == unicodedata.normalize("NFC", text)


def test_a_letter_carries_at_most_four_marks():
    assert len(sanitise("q" + "\u0300" * 60)) == 5


@pytest.mark.parametrize("text", ["\u0338a", "\u20dd\u200b\u0301a", " \u0338a", "<\u20dda", "\u200b\u0338 a"])
def test_no_mark_lies_on_what_stands_before_the_text(text):
    assert sanitise(text) == "a"
    assert not unicodedata.combining(one_line(text)[0])


BLANKS = sorted(
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if char in "\t\n\v\f\r\x85" or unicodedata.category(char) in ("Zs", "Zl", "Zp")
)


def test_words_stay_apart_whatever_blank_or_line_break_stands_between_them():
    for blank in BLANKS:
        for read in (sanitise, one_line):
            assert (blank, read(f"a{blank}b"), read(f"a{blank}\u0338b")) == (blank, "a b", "a b")


# --- the line and the fence ---


@given(NASTY)
def test_it_is_one_short_line_in_nfc(text):
    line = sanitise(text)
    assert len(line) <= LIMIT
    assert line == " ".join(line.split())
    assert unicodedata.is_normalized("NFC", line)
    assert all(harmless(char) or char in JOINERS for char in line)


@example("data\\:text/html,x")  # without its markup it is a link
@example("see https:*//example.invalid")
@example("java\u200bscript:alert(1)")
@given(NASTY)
def test_sanitising_twice_changes_nothing(text):
    assert sanitise(sanitise(text)) == sanitise(text)
    assert one_line(one_line(text)) == one_line(text)


@given(NASTY)
def test_the_fence_can_not_be_closed_from_within(text):
    out = fenced(text)
    assert out[0] == OPEN
    assert out[-1] == CLOSE
    assert unicodedata.category(out[1]) not in ("Mn", "Me")
    assert not set(out[1:-1]) & FENCE
    assert is_fenced(out)


@given(NASTY, NASTY)
def test_a_field_of_outside_text_is_fenced_once_whatever_is_put_into_it(text, other):
    field = TypeAdapter(Outside)
    for given_text in (text, fenced(text), f"{OPEN}{text}{CLOSE}", f"{fenced(text)}{other}{fenced(other)}"):
        out = field.validate_python(given_text)
        assert out == "" if not given_text else is_fenced(out)
        assert field.validate_python(out) == out


@pytest.mark.parametrize(
    "text",
    ["⟪", "⟫", "a", "plain words", "⟪open", "close⟫", "⟫a⟪", "⟪a⟫ b", "a ⟪b⟫", "⟪a⟫⟪b⟫", "⟪<b>⟫", "⟪ a⟫", "⟪a\u200b⟫"],
)
def test_a_text_that_only_resembles_a_fenced_one_is_fenced_as_any_other(text):
    assert not is_fenced(text)
    assert TypeAdapter(Outside).validate_python(text) == fenced(text)


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (fenced("a"), True),
        ({"rows": [{"day": 5}, {"note": fenced("a")}]}, True),
        ([None, 1, [fenced("a")]], True),
        (fenced(""), False),
        ("a plain word", False),
        ({"rows": [{"note": fenced("")}, {"note": ""}], "more": None}, False),
        ({fenced("a"): 1}, False),  # what stands in a key came from no field
        (5, False),
        (None, False),
        ([], False),
    ],
)
def test_whether_an_answer_holds_outside_text_is_told_at_any_depth(value, holds):
    assert holds_outside(value) is holds


def test_a_text_is_cut_at_200_characters_and_no_more_than_twenty_times_that_is_looked_at():
    assert sanitise("a" * LIMIT) == "a" * LIMIT
    assert sanitise("a" * (LIMIT + 1)) == "a" * (LIMIT - 1) + "…"
    assert sanitise("a" * (LIMIT - 2) + " bcd") == "a" * (LIMIT - 2) + "…"
    assert sanitise("\u200b" * (20 * LIMIT - 1) + "ab") == "a"


def test_a_name_is_cut_at_80_characters_or_where_it_is_told_to():
    assert one_line("a" * 80) == "a" * 80
    assert one_line("a" * 81) == "a" * 79 + "…"
    assert one_line("abcd", limit=4) == "abcd"
    assert one_line("abcde", limit=4) == "abc…"
    assert one_line("ab cde", limit=4) == "ab…"
    assert one_line("\u200b" * 79 + "ab", limit=4) == "a"


def test_no_text_is_no_fence():
    assert TypeAdapter(Outside).validate_python("") == ""


# --- links, markup and the rest of the corpus ---


@given(NASTY)
def test_no_link_and_no_markup_is_left(text):
    line = sanitise(text)
    assert not set(line) & set('<>{}[]`*_#|~\\^$"')
    assert not re.search(
        r"[a-z][a-z0-9+.-]+://|\bwww\.|\b(javascript|data|mailto|vbscript):", line, re.IGNORECASE | re.ASCII
    )


def test_a_link_is_told_to_have_been_there():
    assert sanitise("See https://example.invalid/a?b=c now") == "See (link) now"
    assert sanitise("[note](https://example.invalid)") == "note ((link)"


def test_the_corpus_is_large_and_says_where_it_got_to():
    assert len(HOSTILE) == len(set(HOSTILE)) >= 60
    assert all(CANARY in text.casefold() for text in HOSTILE)


def test_the_corpus_is_large_its_texts_differ_and_each_can_be_found_wherever_it_gets_to():
    assert len(HOSTILE) >= 200
    assert len({*HOSTILE, *SILENT}) == len(HOSTILE) + len(SILENT)
    assert [text for text in HOSTILE if CANARY not in sanitise(text).casefold()] == []


@pytest.mark.parametrize("text", [*HOSTILE, *SILENT], ids=range(len(HOSTILE) + len(SILENT)))
def test_a_hostile_comment_is_one_fenced_line(text):
    out = fenced(text)
    assert len(out) <= LIMIT + 2
    assert out.count(OPEN) == out.count(CLOSE) == 1
    assert out.splitlines() == [out]
    assert all(harmless(char) for char in out[1:-1])
    assert not set(out[1:-1]) & set(LOOK_ALIKES + MARKUP)
    assert "://" not in out
    assert is_fenced(out)


@pytest.mark.parametrize("text", SILENT, ids=range(len(SILENT)))
def test_a_text_of_nothing_but_what_may_not_be_shown_is_empty(text):
    assert fenced(text) == OPEN + CLOSE


def test_a_letter_stays_what_it_is_whatever_stands_before_it():
    # A tab keeps a name from being taken in one piece.
    letters = [chr(number) for number in range(0x10000) if not 0xD800 <= number < 0xE000]
    assert [char for char in letters if one_line(f"a{char}a") != one_line(f"\t a{char}a")] == []


def test_a_character_that_looks_like_the_fence_or_makes_markup_is_gone_in_either_width():
    assert sanitise("".join(f"a{sign}" for sign in LOOK_ALIKES)) == "a'" * len(LOOK_ALIKES)
    assert sanitise("".join(f"a{sign}" for sign in MARKUP)) == ("a " * len(MARKUP)).strip()
