"""What production is started with: every command, setting and file that it names exists."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from socials.management import guard
from tests.conftest import ROOT, until
from tests.test_house import PACKAGES, PRODUCTION, documented

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
REQUEST_SECONDS = 8
"""What a web server that stops gives its requests."""


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def accepts(command: Sequence[str]) -> None:
    """Fail unless this is a command of manage.py with options that it knows."""
    assert list(command[:2]) in (["python", "manage.py"], [".venv/bin/python", "manage.py"]), (
        command
    )
    name = command[2]
    assert name in get_commands(), command
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    parser.parse_args(list(command[3:]))


def seconds(told: str) -> float:
    number, measure = re.fullmatch(r"(\d+)(s|min)?", told).groups()
    return int(number) * (60 if measure == "min" else 1)


def containerfile() -> list[tuple[str, str]]:
    """Its instructions, each on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines if line]


# --- the image ---


def test_the_image_holds_all_that_the_program_needs_and_nothing_else() -> None:
    copied = {
        part.rstrip("/")
        for name, rest in containerfile()
        if name == "COPY" and "--from" not in rest
        for part in rest.split()[:-1]
    }
    assert copied == {*PACKAGES, "manage.py", "templates", "static", "requirements"}
    assert all((ROOT / name).exists() for name in copied)
    let_in = {
        line[1:] for line in (ROOT / ".containerignore").read_text().split() if line[0] == "!"
    }
    assert let_in == copied
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_the_image_runs_as_nobody_special_with_pinned_packages_and_says_whether_it_lives() -> None:
    steps = containerfile()
    names = [name for name, _ in steps]
    assert "--require-hashes" in str(steps)
    assert dict(steps)["USER"] == "greenroom"
    assert names.index("USER") < names.index("CMD")
    assert "/healthz" in dict(steps)["HEALTHCHECK"]
    assert dict(steps)["STOPSIGNAL"] == "SIGTERM"
    accepts(json.loads(dict(steps)["CMD"]))
    image = next(rest for name, rest in steps if name == "ARG").partition("=")[2]
    assert re.fullmatch(r"python:3\.1\d-slim", image)  # no registry's host before it
    told = set(re.findall(r"\b([A-Z][A-Z_]+)=", str([r for n, r in steps if n in ("ENV", "RUN")])))
    assert told <= {*documented(), "PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


# --- compose ---


def test_compose_starts_commands_that_exist_and_gives_them_time_to_stop() -> None:
    services = compose()["services"]
    assert set(services) == {"database", "release", "web", "worker"}
    for name in ("release", "web", "worker"):
        service = services[name]
        accepts(service["command"])
        assert service["env_file"] == ".env"
        assert service["build"]["dockerfile"] == "Containerfile"
        assert set(service["environment"]) <= set(documented())
        needed = service["depends_on"]
        assert needed["database"] == {"condition": "service_healthy"}
        if name != "release":
            assert needed["release"] == {"condition": "service_completed_successfully"}
    accepts(services["worker"]["healthcheck"]["test"][1:])
    assert services["worker"]["deploy"]["replicas"] == 2
    assert (
        seconds(services["worker"]["stop_grace_period"]) > guard.STOP_SECONDS + guard.QUIET_SECONDS
    )
    assert seconds(services["web"]["stop_grace_period"]) > REQUEST_SECONDS
    used = {v.split(":")[0] for s in services.values() for v in s.get("volumes", [])}
    assert used == set(compose()["volumes"])


def test_no_secret_is_in_compose_and_only_this_machine_reaches_its_ports() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for value in re.findall(r"PASSWORD: (.*)|://\w+:([^@]*)@", text):
        assert "".join(value).startswith("${POSTGRES_PASSWORD:?"), value
    assert not re.search(r"(SECRET|TOKEN|KEYS?)\w*[:=]\s*\w", text)
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert re.fullmatch(r"greenroom|postgres:\d+-alpine", service["image"])


# --- systemd ---


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: str(path.name))
def test_a_unit_starts_a_command_that_exists_with_settings_that_exist(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["WorkingDirectory"] == "/srv/greenroom"
    command = shlex.split(service["ExecStart"].replace("/srv/greenroom/", "", 1))
    accepts(command)
    for pair in shlex.split(service["Environment"]):
        assert pair.partition("=")[0] in documented()
    named = re.findall(r"greenroom-[\w@.]+", str(dict(unit(path)["Unit"])))
    assert set(named) <= {other.name for other in UNITS}


def test_a_stopping_unit_is_signalled_at_its_main_process_and_given_time() -> None:
    worker = unit(ROOT / "deploy/systemd/greenroom-worker@.service")["Service"]
    web = unit(ROOT / "deploy/systemd/greenroom-web.service")["Service"]
    assert worker["KillMode"] == web["KillMode"] == "mixed"
    assert int(worker["TimeoutStopSec"]) >= 25 > guard.STOP_SECONDS
    assert int(web["TimeoutStopSec"]) > REQUEST_SECONDS
    port = unit(ROOT / "deploy/systemd/greenroom-web.socket")["Socket"]["ListenStream"]
    assert f"server {port};" in (ROOT / "deploy/nginx.conf").read_text()


@contextmanager
def server_on(port: socket.socket, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py serve`` as systemd starts it: the port is handed over as descriptor 3."""
    take = f'exec 3<&{port.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    serve = [sys.executable, "manage.py", "serve", "--port", str(port.getsockname()[1])]
    with log.open("ab") as told:
        process = subprocess.Popen(
            ["bash", "-c", take, "bash", *serve],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": PRODUCTION["DATABASE_URL"], "WEB_WORKERS": "1"},
            pass_fds=[port.fileno()],
            stdout=told,
            stderr=told,
        )
    try:
        yield process
        process.terminate()
        assert process.wait(timeout=30) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(240)
def test_while_the_web_server_restarts_its_port_keeps_requests_waiting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as port:
        for start in range(2):
            with socket.create_connection(port.getsockname(), timeout=100) as early:
                early.sendall(
                    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                with server_on(port, tmp_path / "web.log"):
                    assert early.recv(12) == b"HTTP/1.1 200", start
                    until(lambda: not early.recv(4096), what="the end of the answer")


# --- its settings ---


def test_the_settings_that_new_env_writes_pass_the_deployment_checks() -> None:
    told = subprocess.run(
        [ROOT / "deploy/new-env", "greenroom.example"], capture_output=True, text=True, check=True
    ).stdout
    again = subprocess.run(
        [ROOT / "deploy/new-env", "greenroom.example"], capture_output=True, text=True, check=True
    ).stdout
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", told, re.MULTILINE))
    assert set(given) - {"POSTGRES_PASSWORD"} <= set(documented())
    assert f"SECRET_KEY={given['SECRET_KEY']}" not in again
    environment = {**given, "DATABASE_URL": PRODUCTION["DATABASE_URL"], "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
