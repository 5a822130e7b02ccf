"""What a school deploys: every setting, command and name in `deploy/` and on its page is one that the product has."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from attendance_mcp.rules.policy import Policy
from attendance_mcp.schools_file import schools_of
from attendance_mcp.settings import Settings

from .documents import ROOT, blocks, read
from .test_commands import parsed

PAGE = "docs/school-server.md"
DOCKERFILE = [line for line in read("deploy/Dockerfile").replace("\\\n", " ").splitlines() if line[:1].isupper()]
COMPOSE: dict[str, Any] = yaml.safe_load(read("deploy/compose.yaml"))
REPLICAS = {name: one for name, one in COMPOSE["services"].items() if "build" in one}


def instruction(name: str) -> list[str]:
    return [line.partition(" ")[2] for line in DOCKERFILE if line.split()[0] == name]


def settings_of(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line.startswith("ATTENDANCE_"))


def test_the_settings_are_good_ones_for_several_servers_with_sign_in(monkeypatch):
    given = settings_of(read("deploy/attendance.env.example"))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.oidc_issuer is not None
    assert settings.store is not None
    assert settings.store.get_secret_value().startswith("postgresql://attendance:PASSWORD@database/")
    assert settings.replicas == len(REPLICAS) == 2
    assert settings.writes_on(http=True)


def test_the_settings_for_each_issuer_are_whole_and_ask_for_scopes_of_this_server(monkeypatch):
    common, *issuers = [
        given for block in blocks(PAGE, "") if "OIDC_ISSUER" in block.text and (given := settings_of(block.text))
    ]
    asked = {}
    for given in issuers:
        with monkeypatch.context() as patch:
            for name, value in {**common, **given}.items():
                patch.setenv(name, value)
            settings = Settings()
        asked[given["ATTENDANCE_OIDC_ISSUER"].split("/")[2]] = settings.scopes.needed(writes=True)
    own = f"{common['ATTENDANCE_PUBLIC_URL']}/mcp"
    assert asked == {
        "login.microsoftonline.com": [f"{own}/attendance:read", f"{own}/attendance:write"],
        "accounts.google.com": ["openid", "https://www.googleapis.com/auth/userinfo.email"],
        "login.school.example": ["attendance:read", "attendance:write"],
    }


def test_the_image_runs_the_command_as_nobody_with_the_database_driver():
    (command,), (entry,), (user,), (port,) = map(instruction, ("CMD", "ENTRYPOINT", "USER", "EXPOSE"))
    params = parsed(json.loads(command))
    assert (params["http"], params["host"], params["port"]) == (True, "0.0.0.0", int(port))
    assert json.loads(entry) == ["/opt/attendance/bin/attendance-mcp"]
    assert int(user.partition(":")[0]) > 0
    assert DOCKERFILE.index(f"USER {user}") > max(n for n, line in enumerate(DOCKERFILE) if line.startswith("COPY"))
    (install,) = instruction("RUN")
    assert install.split() == [
        *["python", "-m", "venv", "/opt/attendance", "&&", 'wheel="$(ls', '/wheels/attendance_mcp-*.whl)"', "&&"],
        *["/opt/attendance/bin/pip", "install", "--no-cache-dir", '"${wheel}[postgresql]"'],
    ]


def test_the_replicas_can_write_nothing_and_find_what_their_settings_name():
    given = settings_of(read("deploy/attendance.env.example"))
    for one in REPLICAS.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["env_file"] == "attendance.env"
        mounted = dict(volume.split(":")[:2] for volume in one["volumes"])
        assert set(mounted.values()) == {given["ATTENDANCE_API_TOKEN_FILE"], given["ATTENDANCE_POLICY"]}
        assert all(volume.endswith(":ro") for volume in one["volumes"])
        assert set(one["depends_on"]) <= COMPOSE["services"].keys()
    database = COMPOSE["services"]["database"]
    address = given["ATTENDANCE_STORE"]
    assert f"//{database['environment']['POSTGRES_USER']}:" in address
    assert address.endswith(f"@database/{database['environment']['POSTGRES_DB']}")
    assert all("ports" not in one for name, one in COMPOSE["services"].items() if name != "proxy")


def test_the_proxy_knows_every_replica_by_its_port_and_asks_for_life_alone():
    proxied = read("deploy/Caddyfile")
    (port,) = instruction("EXPOSE")
    assert re.search(r"reverse_proxy (.*) {", proxied)[1].split() == [f"{name}:{port}" for name in REPLICAS]
    assert "health_uri /healthz" in proxied
    host = settings_of(read("deploy/attendance.env.example"))["ATTENDANCE_PUBLIC_URL"].removeprefix("https://")
    assert re.findall(r"^(\S+) {", proxied, re.MULTILINE) == [host]


def test_every_file_that_the_page_makes_is_one_that_compose_reads_and_git_leaves_out():
    ignored = {line.removeprefix("/deploy/").rstrip("/") for line in read(".gitignore").splitlines()}
    said = "\n".join(block.text for block in blocks(PAGE, "sh"))
    (image,) = {one["build"] for one in REPLICAS.values()}
    assert (ROOT / "deploy" / image / "Dockerfile").exists()
    wanted = {volume.split(":")[0] for one in REPLICAS.values() for volume in one["volumes"]}
    wanted |= {"attendance.env", COMPOSE["secrets"]["database"]["file"]}
    for path in (name.removeprefix("./") for name in wanted):
        assert path in said
        assert Path(path).parts[0] in ignored
    for given in re.findall(r"(?:install|cp) .*?(\S*\.example\S*)", said):
        if "://" in given:  # an address, as `attendance-mcp install` takes it
            continue
        assert any((folder / given).exists() for folder in (ROOT, ROOT / "deploy")), given
    Policy.from_toml(read("attendance_mcp/rules/policy.example.toml"))


def test_the_example_of_several_schools_loads_and_the_page_shows_it_with_a_policy_for_it(tmp_path):
    example = "attendance_mcp/rules/schools.example.toml"
    (tmp_path / "schools.toml").write_text(read(example))
    settings = Settings(
        schools=tmp_path / "schools.toml",
        oidc_issuer="https://login.school.example",
        public_url="https://a.example",
        policy="p",
    )
    north, south = schools_of(settings)
    assert (north.among.title, north.timezone) == ("Northgate School", "Europe/Vienna")
    assert (north.api_token_file, north.profile) == (tmp_path / "token-north", tmp_path / "north.toml")
    assert (south.among.name, south.rate) == ("south", 10)
    _, shown, policy = (block.text for block in blocks(PAGE, "toml"))
    assert read(example).endswith(shown)
    assert Policy.from_toml(policy, schools=north.among.names).at("south").holds


@pytest.mark.parametrize("line", re.findall(r"^ExecStart=(.*)$", read(PAGE), re.MULTILINE))
def test_the_service_runs_the_command_at_its_own_port(line):
    words = shlex.split(line.replace("%i", "8751"))
    params = parsed(words[1:])
    assert (params["http"], params["host"], params["port"]) == (True, "127.0.0.1", 8751)
    (unit,) = blocks(PAGE, "ini")
    assert "/etc/attendance/attendance.env" in unit.text
    assert words[0] == json.loads(instruction("ENTRYPOINT")[0])[0]


def test_both_proxies_of_the_page_go_to_the_ports_that_are_started():
    said = read(PAGE)
    started = re.findall(r"attendance@(\d+)", said)
    (nginx,) = blocks(PAGE, "nginx")
    assert re.findall(r"server 127\.0\.0\.1:(\d+);", nginx.text) == started
    assert "proxy_set_header Host $http_host;" in nginx.text
