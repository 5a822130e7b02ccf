"""The settings: environment variables with `ATTENDANCE_` in front, read once and checked in clear words."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import stat
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator, PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from attendance_mcp.errors import SettingsError
from attendance_mcp.scopes import OF_GOOGLE, READ, WRITE, Scopes, checked_scopes

PREFIX = "ATTENDANCE_"
APP_NAME = KEYRING_SERVICE = "attendance-mcp"
NO_TOKEN = (
    "There is no token for the school's API. `attendance-mcp install` sets an assistant up; or set "  # noqa: S105
    "ATTENDANCE_API_TOKEN_FILE to a file that holds it, or ATTENDANCE_API_TOKEN to the token itself; or try the server "
    "on an invented school with --demo."
)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_TOKEN = re.compile(r"[\x21-\x7e]{1,1024}")
_MOST_TOKEN_FILE = 8192
OF_ONE_SCHOOL = ("api_url", "api_version", "api_token_file", "timezone", "profile", "rate")
_NOT_BESIDE_SCHOOLS = (*OF_ONE_SCHOOL, "api_token", "api_token_keyring")
_OF_SIGN_IN = (
    "public_url",
    "policy",
    "schools",
    "oidc_tokens",
    "oidc_audience",
    "oidc_read_scope",
    "oidc_write_scope",
    "oidc_client_id",
    "oidc_client_secret_file",
)


def checked_origin(url: str) -> str:
    """The origin `https://host[:port]` of an address. Raises ValueError for anything that is more than an origin.

    Plain http is for loopback only: on any other way the token could be read.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ValueError("is no address; give one such as https://api.managebac.com") from None
    host = (parts.hostname or "").lower()
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user or password; the token has a setting of its own")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("must end after the host, such as https://api.managebac.com")
    if not (_HOST.fullmatch(host) or _is_ipv6(host)):
        raise ValueError("names no host; give an address such as https://api.managebac.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https://, or the token could be read on its way")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def checked_issuer(url: str) -> str:
    """The address as it is given, to the letter: an issuer is known by it. Raises ValueError for one that can't be."""
    parts = urlsplit(url)
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("must be an address without ? and #, such as https://login.school.example/tenant")
    checked_origin(f"{parts.scheme}://{parts.netloc}")
    return url


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def zone_name(name: str) -> str:
    """The time zone's own name. Raises ValueError."""
    try:
        return ZoneInfo(name.strip()).key
    # A folder of the zone files gives an OSError, a path a ValueError, an unknown name a KeyError.
    except (KeyError, ValueError, OSError):
        raise ValueError("is no time zone; give one such as Asia/Singapore or Europe/Vienna") from None


def _standing_day(value: Any) -> date | None:
    # A date stays a date: it stands at noon, where pydantic would make it midnight.
    if value is None or isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError("give a day as yyyy-mm-dd")  # noqa: TRY004  pydantic takes no TypeError
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip(), re.ASCII):
            return date.fromisoformat(value.strip())
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", value.strip(), re.ASCII):
            return datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("there is no such day or time") from None
    raise ValueError("give a day as yyyy-mm-dd or a moment as yyyy-mm-ddThh:mm")


def _store(secret: SecretStr) -> SecretStr:
    scheme = secret.get_secret_value().partition("://")
    if scheme[1] and scheme[0] != "postgresql":
        raise ValueError("is a file, or postgresql://user:password@host/database")
    return secret


@dataclass(frozen=True, slots=True)
class Among:
    """Which of several schools something is of; without a name it is of the only one."""

    name: str = ""
    title: str = ""  # as people read it
    names: frozenset[str] = frozenset()  # of all of them


THE_ONLY_ONE = Among()


class Settings(BaseSettings):
    """What the environment says; an unknown ATTENDANCE_ variable is an error, since a typo must not vanish."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    api_url: Annotated[str, AfterValidator(checked_origin)] = "https://api.managebac.com"
    api_version: Annotated[str, Field(pattern=r"^v[0-9][0-9a-z]{0,7}$")] = "v2p1"
    api_token: SecretStr | None = None
    api_token_file: Path | None = None
    api_token_keyring: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    profile: Path | None = None
    timezone: Annotated[str, AfterValidator(zone_name)] | None = None
    writes: Literal["confirm", "off"] | None = None
    approval: Literal["auto", "human", "token"] = "auto"
    store: Annotated[SecretStr, AfterValidator(_store)] | None = None  # a database's address holds its password
    rate: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 20.0
    replicas: Annotated[int, Field(ge=1, le=100)] = 1
    connect_timeout: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 3.0
    read_timeout: Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)] = 10.0
    deadline: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 25.0
    confirmation_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    ask_seconds: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 45.0
    text_days: Annotated[int, Field(ge=1, le=3650)] = 30
    journal_days: Annotated[int, Field(ge=1, le=3650)] = 365
    privacy: Literal["names", "minimal", "codes"] = "names"
    privacy_key_file: Path | None = None
    public_url: Annotated[str, AfterValidator(checked_origin)] | None = None
    oidc_issuer: Annotated[str, AfterValidator(checked_issuer)] | None = None
    policy: Path | None = None
    schools: Path | None = None
    oidc_tokens: Literal["jwt", "introspection", "google"] = "jwt"
    oidc_subject: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:/.-]{1,100}$")] = "sub"
    oidc_client_id: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    oidc_client_secret_file: Path | None = None
    oidc_audience: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    oidc_read_scope: Annotated[str, AfterValidator(checked_scopes)] | None = None
    oidc_write_scope: Annotated[str, AfterValidator(checked_scopes)] | None = None
    today: Annotated[date | datetime | None, PlainValidator(_standing_day)] = None
    demo: bool = False
    _among: Among = PrivateAttr(THE_ONLY_ONE)

    @model_validator(mode="after")
    def _nothing_unknown(self) -> Self:
        known = {PREFIX + name.upper() for name in type(self).model_fields}
        for name in sorted(os.environ):
            if name.upper().startswith(PREFIX) and name.upper() not in known:
                near = difflib.get_close_matches(name.upper(), known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(sorted(known))}."
                raise ValueError(f"{name} is no setting; {hint}")
        return self

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        places = ("api_token", "api_token_file", "api_token_keyring")
        named = [PREFIX + place.upper() for place in places if getattr(self, place) is not None]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} are both set; keep one of them.")
        return self

    @model_validator(mode="after")
    def _one_place_for_a_school(self) -> Self:
        if self.schools is not None:
            if self.demo:
                raise ValueError("ATTENDANCE_SCHOOLS is set, and the demo is a school of its own.")
            given = [name for name in _NOT_BESIDE_SCHOOLS if name in self.model_fields_set]
            if given:
                name = PREFIX + given[0].upper()
                raise ValueError(f"{name} is of one school; with ATTENDANCE_SCHOOLS each has its own, in that file.")
        return self

    @model_validator(mode="after")
    def _whole_sign_in(self) -> Self:
        if self.oidc_issuer is None:
            fields = type(self).model_fields
            given = [name for name in _OF_SIGN_IN if getattr(self, name) != fields[name].default]
            if given:
                raise ValueError(f"{PREFIX}{given[0].upper()} needs ATTENDANCE_OIDC_ISSUER too.")
        elif self.public_url is None:
            raise ValueError(
                "ATTENDANCE_OIDC_ISSUER needs ATTENDANCE_PUBLIC_URL too: the address by which clients know this server."
            )
        elif self.policy is None:
            raise ValueError("ATTENDANCE_OIDC_ISSUER needs ATTENDANCE_POLICY too: the file that says who sees whom.")
        elif self.oidc_tokens == "google" and self.oidc_audience is None:
            raise ValueError(
                "ATTENDANCE_OIDC_TOKENS=google needs ATTENDANCE_OIDC_AUDIENCE too: the ids of the clients that are "
                "registered with Google for this server."
            )
        elif self.oidc_tokens == "introspection" and None in (self.oidc_client_id, self.oidc_client_secret_file):
            raise ValueError(
                "ATTENDANCE_OIDC_TOKENS=introspection needs ATTENDANCE_OIDC_CLIENT_ID and "
                "ATTENDANCE_OIDC_CLIENT_SECRET_FILE too: as whom this server asks the issuer."
            )
        return self

    def of_school(self, among: Among, own: dict[str, Any]) -> Settings:
        """These settings with what one of several schools has of its own. Raises ValidationError."""
        shared = {name: getattr(self, name) for name in self.model_fields_set}
        made = Settings(**{**shared, "schools": None, **own})
        made._among = among
        return made

    @property
    def among(self) -> Among:
        """Which of several schools these settings are of."""
        return self._among

    @property
    def bound_to(self) -> str:
        """What tells the school from any other: plans, the journal and codes are bound to it.

        Schools may share an address, and are told apart by their tokens alone; those come and go.
        """
        return f"{self.api_url}#{self.among.name}" if self.among.name else self.api_url

    def called(self, field: str) -> str:
        """The setting as whoever set it knows it."""
        return f"{self.among.name}.{field} (ATTENDANCE_SCHOOLS)" if self.among.name else PREFIX + field.upper()

    @property
    def scopes(self) -> Scopes:
        """What clients are told to ask the issuer for."""
        read, write = (OF_GOOGLE, OF_GOOGLE) if self.oidc_tokens == "google" else (READ, WRITE)
        return Scopes.of(self.oidc_read_scope or read, self.oidc_write_scope or write)

    @property
    def has_token(self) -> bool:
        """Whether a token is set; whether it can be read, `token()` tells."""
        return any((self.api_token, self.api_token_file, self.api_token_keyring))

    @property
    def zone(self) -> ZoneInfo | None:
        """The school's time zone; None where only the machine's own is known."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @property
    def own_rate(self) -> float:
        """Requests a second of this process: its part of the rate that all replicas together may take."""
        return self.rate / self.replicas

    def writes_on(self, *, http: bool) -> bool:
        """Whether the tools that write are there: unless set, on stdio they are and over HTTP they are not."""
        return not http if self.writes is None else self.writes == "confirm"

    @property
    def token_warning(self) -> str:
        """What is amiss with the token's file although it can be used; empty where nothing is."""
        if self.api_token_file is None or os.name != "posix":  # Windows has no such bits
            return ""
        try:
            mode = self.api_token_file.stat().st_mode
        except OSError:
            return ""  # `token()` tells
        if not mode & (stat.S_IRGRP | stat.S_IROTH):
            return ""
        name = self.called("api_token_file")
        return f"The file of {name} can be read by other users of this machine; chmod 600 mends it."

    def token(self) -> str:
        """The token as it stands now; its file is read each time, so that a token can be replaced under way.

        Raises SettingsError where there is none or it can't be used; the text never shows it.
        """
        if self.api_token is not None:
            return checked_token(self.api_token.get_secret_value(), where="ATTENDANCE_API_TOKEN")
        if self.api_token_file is not None:
            name = self.called("api_token_file")
            return checked_token(read_private(self.api_token_file, name=name), where=f"the file of {name}")
        if self.api_token_keyring is not None:
            return checked_token(_from_keyring(self.api_token_keyring), where="the keyring")
        raise SettingsError(NO_TOKEN)


def config_folder() -> Path:
    """The user's own folder for what they set; it may not be there yet."""
    from platformdirs import user_config_path

    return user_config_path(APP_NAME, appauthor=False)


def data_folder() -> Path:
    """The user's data folder for plans, the journal and the demo's school; made for the user alone where missing."""
    from platformdirs import user_data_path  # most starts need no folder

    folder = user_data_path(APP_NAME, appauthor=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise SettingsError(f"The folder {folder} can't be made; set ATTENDANCE_STORE to a file elsewhere.") from None
    return folder


def explain(error: ValidationError) -> list[str]:
    """One line for each wrong setting, such as `ATTENDANCE_RATE: Input should be greater than 0`; no values."""
    lines = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        words = problem["msg"].removeprefix("Value error, ")
        name = str(problem["loc"][0]) if problem["loc"] else ""
        lines.append(f"{PREFIX}{name.removeprefix(PREFIX.lower()).upper()}: {words}" if name else words)
    return list(dict.fromkeys(lines))


def checked_token(text: str, *, where: str) -> str:
    """The token without blanks around it. Raises SettingsError, which names `where` it stands and never shows it."""
    token = text.strip()
    if not token:
        raise SettingsError(f"There is no token in {where}.")
    if not _TOKEN.fullmatch(token):
        raise SettingsError(f"What stands in {where} is no token: one line of letters, digits and signs is expected.")
    return token


def _from_keyring(name: str) -> str:
    try:
        import keyring  # the extra of the same name
        from keyring.errors import KeyringError
    except ImportError:
        raise SettingsError("ATTENDANCE_API_TOKEN_KEYRING needs one more package: attendance-mcp[keyring].") from None
    try:
        return keyring.get_password(KEYRING_SERVICE, name) or ""
    except KeyringError:
        raise SettingsError("The keyring of ATTENDANCE_API_TOKEN_KEYRING can't be opened.") from None


def read_secret(path: Path, *, name: str) -> str:
    """A client's secret, from the file that a setting of this name points to. Raises SettingsError."""
    secret = read_private(path, name=name).strip()
    if not secret:
        raise SettingsError(f"There is no secret in the file of {name}.")
    return secret


def read_private(path: Path, *, name: str, most: int = _MOST_TOKEN_FILE) -> str:
    """The text of a file that a setting of this name points to, which nobody else can change. Raises SettingsError.

    Of a file of more than `most` bytes its beginning.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError(f"{name} names no file.")
        # Whoever can change the file chooses whose rights are used. Windows has no such bits.
        if os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise SettingsError(f"The file of {name} can be changed by others; chmod 600 mends it.")
        with path.open("rb") as file:
            content = file.read(most)
        return content.decode("utf-8-sig")  # an editor on Windows may begin it with a byte order mark
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise SettingsError(f"The file of {name} can't be read: {reason}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"The file of {name} is no text in UTF-8.") from None
