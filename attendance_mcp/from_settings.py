"""What the settings name, made of them: the connection to a school, the desk for plans, the policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from attendance_mcp.api.client import Client
from attendance_mcp.changes.desk import Desk
from attendance_mcp.errors import SettingsError
from attendance_mcp.rules.policy import Policy
from attendance_mcp.rules.profile import Profile
from attendance_mcp.school.clock import Clock
from attendance_mcp.school.codes import Codes
from attendance_mcp.school.connection import Connection
from attendance_mcp.school.disclosure import EVERYTHING, Disclosure
from attendance_mcp.settings import Settings, data_folder


def open_connection(settings: Settings) -> Connection:
    """The connection to the school, or to the demo's; nothing is read yet.

    Raises SettingsError where the token, the profile or the key of the codes can't be used.
    """
    profile = _profile(settings)
    if settings.demo:
        from attendance_mcp.demo import demo_connection

        connection = demo_connection(settings, profile=profile)
    else:
        zone = settings.zone or (profile.zone if profile else None)
        settings.token()  # a missing or unreadable token is said at start, not at the first question
        connection = Connection(
            connect=_connector(settings),
            clock=Clock.of(zone, settings.today),
            name=settings.bound_to,
            deadline=settings.deadline,
            rate=settings.own_rate,
            own_profile=profile,
            zone_set=zone is not None,
        )
    connection.disclosure = _disclosure(settings, school=connection.name)
    return connection


def open_desk(settings: Settings) -> Desk:
    """The desk for plans alone, which needs no school; its store is opened when it is first used."""
    return Desk(
        place=settings.store.get_secret_value() if settings.store else data_folder() / "attendance.db",
        policy=settings.approval,
        waits=timedelta(minutes=settings.confirmation_minutes),
        ask_seconds=settings.ask_seconds,
        keep_texts=timedelta(days=settings.text_days),
        keep_rows=timedelta(days=settings.journal_days),
    )


def read_policy(settings: Settings) -> Policy | None:
    """The policy that the settings name, as it is for their school.

    Raises SettingsError where it can't be read or used.
    """
    if settings.policy is None:
        return None
    try:
        text = settings.policy.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError("The policy of ATTENDANCE_POLICY can't be read: a text file is expected.") from None
    return Policy.from_toml(text, schools=settings.among.names).at(settings.among.name)


def _disclosure(settings: Settings, *, school: str) -> Disclosure:
    """What an assistant is told. Raises SettingsError where the file that holds the key of the codes can't be used."""
    if settings.privacy == "names":
        return EVERYTHING
    if settings.privacy == "minimal":
        return Disclosure(texts=False, health=False)
    from attendance_mcp.school.keyfile import given_key, own_key

    if settings.privacy_key_file is not None:
        given = given_key(settings.privacy_key_file)  # what is wrong with it is said at start
        return Disclosure(texts=False, health=False, codes=Codes(lambda: given, school=school))
    return Disclosure(texts=False, health=False, codes=Codes(lambda: own_key(_own_key_file(settings)), school=school))


def _own_key_file(settings: Settings) -> Path:
    """Beside the store where that is a file, else in the user's data folder."""
    place = settings.store.get_secret_value() if settings.store else ""
    folder = Path(place).expanduser().parent if place and "://" not in place else data_folder()
    return folder / "privacy.key"


def _connector(settings: Settings) -> Callable[[], Client]:
    def connect() -> Client:
        from attendance_mcp.api.transport import Transport

        return Client(
            Transport(
                base_url=settings.api_url,
                version=settings.api_version,
                token=settings.token,
                rate=settings.own_rate,
                connect_timeout=settings.connect_timeout,
                read_timeout=settings.read_timeout,
                about_people=settings.privacy != "codes",
                school=settings.among.name,
            )
        )

    return connect


def _profile(settings: Settings) -> Profile | None:
    """The school profile that the settings name. Raises SettingsError where it can't be read or used."""
    if settings.profile is None:
        return None
    try:
        return Profile.from_toml(settings.profile.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            f"The school profile of {settings.called('profile')} can't be read: a text file is expected."
        ) from None
    except SettingsError as error:
        if not settings.among.name:
            raise
        raise SettingsError(f"{settings.called('profile')}: {error}") from None
