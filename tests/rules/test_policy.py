"""The policy file: whose claims grant what, and that all else is denied."""

from __future__ import annotations

from importlib.resources import files

import pytest

from attendance_mcp.errors import SettingsError
from attendance_mcp.rules.policy import UNLIMITED, Grants, Place, Policy

OFFICE = '[[allow]]\nclaim = "groups"\nvalue = "office"\nread = "whole school"\nwrite = "whole school"\n'
GRADE_8 = Place("year group", "Grade 8")
HOMEROOM = Place("homeroom", "Grade 8 Mia Tanaka")


def example():
    return Policy.from_toml(files("attendance_mcp.rules").joinpath("policy.example.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"groups": []},
        {"groups": "Attendance-Office"},
        {"groups": ["attendance-office-2"]},
        {"groups": {"attendance-office": True}},
        {"groups": [["attendance-office"]]},
        {"groups": None},
        {"roles": ["attendance-office"]},
        {"email": "ida.tanaka@school.example"},
        {"email": "mia.tanaka@school.example", "email_verified": False},
        {"email": "mia.tanaka@school.example", "email_verified": "false"},
        {"realm_access": ["biology"]},
        {"realm_access": {"role": ["biology"]}},
    ],
)
def test_claims_that_no_rule_names_are_granted_nothing(claims):
    assert example().grants(claims) == Grants()
    assert example().grants(claims).nothing


@pytest.mark.parametrize(
    ("claims", "grants"),
    [
        ({"groups": ["staff", "attendance-office"]}, UNLIMITED),
        ({"groups": "nurses"}, Grants(UNLIMITED.read)),
        (
            {"email": "Mia.Tanaka@School.example", "email_verified": True},
            Grants(frozenset({GRADE_8, Place("year group", "Grade 9"), HOMEROOM}), frozenset({HOMEROOM})),
        ),
        ({"realm_access": {"roles": ["biology"]}}, Grants(frozenset({Place("class", "Biology 9A")}))),
        ({"realm_access.roles": ["biology"]}, Grants(frozenset({Place("class", "Biology 9A")}))),
    ],
)
def test_a_claim_is_granted_what_its_rule_says_and_what_may_be_written_may_be_read(claims, grants):
    assert example().grants(claims) == grants


def test_a_claim_within_another_is_named_with_the_first_dot_and_may_have_more():
    policy = Policy.from_toml(OFFICE.replace('"groups"', '"resource_access.my.client"'))
    assert policy.grants({"resource_access": {"my.client": ["office"]}}) == UNLIMITED
    assert policy.grants({"resource_access.my": {"client": ["office"]}}) == Grants()


def test_the_places_of_a_policy_are_those_of_all_its_rules():
    year_groups = {GRADE_8, Place("year group", "Grade 9")}
    assert example().places() == UNLIMITED.read | year_groups | {HOMEROOM, Place("class", "Biology 9A")}


def test_what_several_rules_grant_adds_up():
    both = example().grants({"groups": ["nurses"], "email": "mia.tanaka@school.example"})
    assert both.write == {HOMEROOM}
    assert both.read >= UNLIMITED.read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("allow = 3 3", "is no TOML: "),
        ("", "can't be used: allow: Field required."),
        ("allow = []", "can't be used: allow: List should have at least 1 item after validation, not 0."),
        (OFFICE + "raed = 1\n", "can't be used: allow.0.raed: Extra inputs are not permitted."),
        (
            OFFICE.replace('read = "whole school"', 'read = "everything"'),
            "can't be used: allow.0.read: Input should be 'whole school'.",
        ),
        (
            OFFICE + '[[allow]]\nclaim = "x"\nvalue = "y"\n',
            "can't be used: allow.1: grants nothing: give read or write.",
        ),
        (OFFICE.replace('"office"', "[]"), "can't be used: allow.0.value: Input should be a valid string."),
        (OFFICE.replace('"office"', '""'), "can't be used: allow.0.value: String should have at least 1 character."),
        (
            '[[allow]]\nclaim = "x"\nvalue = "y"\nread.clases = ["a"]\n',
            "can't be used: allow.0.read.clases: Extra inputs are not permitted.",
        ),
        (
            '[[allow]]\nclaim = "x"\nvalue = "y"\nread.classes = "a"\n',
            "can't be used: allow.0.read.classes: Input should be a valid list.",
        ),
    ],
)
def test_a_file_that_is_not_understood_wholly_is_refused(text, said):
    with pytest.raises(SettingsError) as caught:
        Policy.from_toml(text)
    assert f"The policy of ATTENDANCE_POLICY {said}" in str(caught.value)


SCHOOLS = ("north", "south")
BOTH = OFFICE.replace("read", 'schools = "every school"\nread') + OFFICE.replace('"office"', '"nurses"').replace(
    "read", 'schools = ["south"]\nread'
)


def test_a_rule_grants_at_the_schools_that_it_names_alone():
    policy = Policy.from_toml(BOTH, schools=SCHOOLS)
    granted = {
        (group, school): policy.at(school).grants({"groups": group})
        for group in ("office", "nurses")
        for school in SCHOOLS
    }
    assert granted == {
        ("office", "north"): UNLIMITED,
        ("office", "south"): UNLIMITED,
        ("nurses", "north"): Grants(),
        ("nurses", "south"): UNLIMITED,
    }
    assert policy.digest() == policy.at("north").digest() == policy.at("south").digest()
    assert policy.at("north").granted(policy.at("south").fitting({"groups": "nurses"})).nothing


def test_a_rule_that_names_no_school_grants_at_none_of_several():
    one = Policy.from_toml(OFFICE)
    assert one.grants({"groups": "office"}) == UNLIMITED
    assert one.at("north").grants({"groups": "office"}).nothing


@pytest.mark.parametrize(
    ("text", "schools", "said"),
    [
        (OFFICE, SCHOOLS, 'allow.0.schools: several schools are served, so name them as ["north"], or say "every school".'),
        (BOTH, (), "allow.0.schools: there is one school here, and ATTENDANCE_SCHOOLS is not set."),
        (BOTH, ("north", "west"), "allow.1.schools: one of them is not in ATTENDANCE_SCHOOLS, which has north, west."),
        (BOTH.replace('["south"]', "[]"), SCHOOLS, "allow.1.schools: "),
        (BOTH.replace('["south"]', '"south"'), SCHOOLS, "allow.1.schools: Input should be 'every school'."),
    ],
)  # fmt: skip
def test_a_rule_that_may_be_meant_for_another_school_is_refused(text, schools, said):
    with pytest.raises(SettingsError) as caught:
        Policy.from_toml(text, schools=schools)
    assert str(caught.value).startswith(f"The policy of ATTENDANCE_POLICY can't be used: {said}")
