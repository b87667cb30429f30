"""The house's own rules: what is named exists, what is set is documented, what is pinned is pinned."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from packaging.requirements import Requirement

from socials import capabilities
from tests.conftest import ROOT

PACKAGES = ("config", "talent", "scraping", "socials")
OURS = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def called_name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def first_text(call: ast.Call) -> set[str]:
    """Its first argument, when that is written out."""
    return {str(word.value) for word in call.args[:1] if isinstance(word, ast.Constant)}


# --- names -------------------------------------------------------------------------------------


def jobs() -> set[str]:
    """Dotted names that are handed to the queue, or stand in the schedules."""
    named: set[str] = set()
    for path in OURS:
        for call in calls(path):
            if called_name(call) in {"later", "queue.later"}:
                named |= first_text(call)
    schedules = (ROOT / "socials" / "schedules.py").read_text()
    named |= set(re.findall(r'"((?:socials|talent|scraping)\.[\w.]*tasks\.\w+)"', schedules))
    return named


def test_every_job_that_the_queue_is_given_exists_in_a_tasks_module() -> None:
    assert len(jobs()) >= 4
    for name in sorted(jobs()):
        module, _, function = name.rpartition(".")
        assert module.endswith(".tasks"), name
        assert callable(getattr(importlib.import_module(module), function)), name


COMMANDS = (
    "serve qcluster sandbox demo create_api_token sync_profile_images sync_connections "
    "import_roster export_roster import_legacy_handles erase_talent check_queue revoke_api_token"
)


@pytest.mark.parametrize("name", COMMANDS.split())
def test_a_command_of_the_contract_exists(name: str) -> None:
    assert name in get_commands()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_of_the_docs_names_exists(page: Path) -> None:
    text = page.read_text()
    for path in re.findall(r"`([\w./-]+\.(?:py|md|txt|toml|html|css|js|yaml))`", text):
        candidates = [
            ROOT / path,
            page.parent / path,
            *(ROOT / package / path for package in PACKAGES),
        ]
        if "/" in path:
            assert any(place.exists() for place in candidates), f"{page.name} names {path}"
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)", text):
        assert (page.parent / target).exists(), f"{page.name} links {target}"
    for command in re.findall(r"manage\.py ([a-z_]+)", text):
        assert command in get_commands(), f"{page.name} names manage.py {command}"
    for target in re.findall(r"`make ([a-z]+)`", text):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(), f"{page.name} names make {target}"
    for dotted in re.findall(r"`((?:config|talent|scraping|socials)(?:\.\w+)+)(?:\(\))?`", text):
        assert exists(dotted) or is_written(dotted), f"{page.name} names {dotted}"


def is_written(word: str) -> bool:
    """Whether the code has it as a text, as it has the names of events."""
    return any(f'"{word}"' in path.read_text() for path in OURS)


def exists(dotted: str) -> bool:
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


def test_make_prints_every_target_that_a_person_may_want() -> None:
    told = subprocess.run(
        ["make"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    ).stdout
    for target in ("install", "run", "test", "check", "sandbox", "lock", "clean"):
        assert f"make {target}" in told


# --- settings ----------------------------------------------------------------------------------


def documented() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^#([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


def settings_read() -> set[str]:
    """Names that the code asks the environment for."""
    names: set[str] = set()
    for path in OURS:
        for call in calls(path):
            if re.match(r"^(env|environment)\.\w+$", called_name(call)):
                names |= first_text(call)
    return names


def test_every_setting_is_in_env_example_and_nothing_else_is() -> None:
    read = settings_read() | set(settings.PLATFORM_SETTINGS) | {"SECRET_KEY"}
    assert set(documented()) == read


def defaults_in_code() -> dict[str, str]:
    """What the code takes where a setting is missing, as far as it is written out."""
    found: dict[str, str] = {}
    for path in OURS:
        for call in calls(path):
            named = {word.arg: word.value for word in call.keywords}
            if re.match(r"^(env|environment)\.\w+$", called_name(call)) and "default" in named:
                with suppress(ValueError):
                    found |= dict.fromkeys(
                        first_text(call), as_written(ast.literal_eval(named["default"]))
                    )
    return found


def as_written(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


MADE = {"SECRET_KEY", "PUBLIC_URL"}
"""Their defaults are for this machine only."""


def test_every_setting_has_words_and_its_default() -> None:
    told, worded = documented(), False
    for line in (ROOT / ".env.example").read_text().splitlines():
        if re.match(r"#[A-Z][A-Z0-9_]*=", line):
            assert worded, f"{line} has no words above it"
        elif line.startswith("# ---"):
            worded = False
        else:
            worded = (worded or line.startswith("# ")) and bool(line)
    checked = defaults_in_code()
    assert len(checked) > 40
    for name in {name for name in checked if checked[name]} - MADE - {"DEBUG"}:
        assert told[name] == checked[name], name


def test_env_example_tells_the_true_defaults() -> None:
    script = (
        "import json; from config import settings as s; "
        "print(json.dumps({**s.PLATFORM_SETTINGS, 'SYNC_LEASE_SECONDS': str(s.SYNC_LEASE_SECONDS), "
        "'SYNC_POST_LIMIT': str(s.SYNC_POST_LIMIT), 'CIRCUIT_FAILURES': str(s.CIRCUIT_FAILURES), "
        "'SYNC_FRESHNESS_MINUTES': str(s.SYNC_FRESHNESS_MINUTES), 'DEBUG': 'on' if s.DEBUG else 'off', "
        "'SYNC_RETRY_DELAYS': ','.join(f'{d:g}' for d in s.SYNC_RETRY_DELAYS), "
        "'HTTP_TIMEOUT_SECONDS': str(s.HTTP_TIMEOUT_SECONDS), "
        "'PROFILE_IMAGE_DAILY_LIMIT': str(s.PROFILE_IMAGE_DAILY_LIMIT)}))"
    )
    answer = start("-c", script, DATABASE_URL="postgres://nobody@127.0.0.1:9/none")
    assert answer.returncode == 0, answer.stderr
    told = documented()
    for name, value in json.loads(answer.stdout).items():
        assert told[name] == value, name


# --- starting ----------------------------------------------------------------------------------

PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "a-long-secret-that-nobody-uses-anywhere-else-0123456789",
    "TOKEN_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "ALLOWED_HOSTS": "greenroom.example",
    "PUBLIC_URL": "https://greenroom.example",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
}


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python with nothing but this environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "TOKEN_ENCRYPTION_KEYS", "ALLOWED_HOSTS", "PUBLIC_URL", "DATABASE_URL"]
)
def test_production_without_a_needed_setting_stops_with_one_line(name: str) -> None:
    without = {key: value for key, value in PRODUCTION.items() if key != name}
    answer = start("manage.py", "check", **without)
    assert answer.returncode != 0
    assert answer.stderr.count("\n") == 1
    assert name in answer.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SANDBOX_HOSTS", "127.0.0.1:9400"),
        ("DATABASE_URL", "mysql://somewhere/else"),
        ("TOKEN_ENCRYPTION_KEYS", "too-short"),
        ("SYNC_LEASE_SECONDS", "two minutes"),
        ("TOKEN_ENCRYPTION_KEYS", ",,"),
        ("SYNC_CONCURRENCY", "-7"),
        ("HTTP_TIMEOUT_SECONDS", "0.0"),
        ("YOUTUBE_DAILY_QUOTA", "plenty"),
        ("SYNC_RETRY_DELAYS", "now,soon"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("EMAIL_URL", "pigeon://loft"),
        ("CACHE_URL", "bogus://cache"),
        ("STORAGE_URL", "s3://photos"),
        ("SENTRY_DSN", "reports.agency.example/1"),
        ("SENTRY_DSN", "https://sentry.example/without-a-key"),
    ],
)
def test_a_senseless_setting_stops_the_start_with_one_line_that_names_it(
    name: str, value: str
) -> None:
    answer = start("manage.py", "check", **{**PRODUCTION, name: value})
    assert answer.returncode != 0
    assert answer.stderr.count("\n") == 1
    assert name in answer.stderr
    assert value not in answer.stderr or name == "SANDBOX_HOSTS"


def test_a_database_that_cant_be_reached_is_one_line_with_its_setting_and_no_password() -> None:
    address = "postgres://user:hidden-password@127.0.0.1:9/none"
    answer = start("manage.py", "migrate", **{**PRODUCTION, "DATABASE_URL": address})
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "DATABASE_URL" in answer.stderr
    assert "hidden-password" not in answer.stderr


def test_production_passes_the_deployment_checks() -> None:
    answer = start("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert answer.returncode == 0, answer.stderr


def test_every_module_is_imported_without_a_warning(tmp_path: Path) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in OURS
        if "migrations" not in path.parts
    ]
    script = (
        "import importlib, os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; "
        "import django; django.setup(); [importlib.import_module(m) for m in sys.argv[1:]]"
    )
    answer = start(
        "-W", "error", "-c", script, *modules,
        DATABASE_URL="postgres://nobody@127.0.0.1:9/none",
        XDG_RUNTIME_DIR=str(tmp_path),  # the embedded PostgreSQL's wheel warns without one
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr


# --- what the tree must not hold ---------------------------------------------------------------


def test_no_file_names_a_package_registry_or_a_folder_of_a_machine() -> None:
    registry = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.com", "npm" + "js.org")
    folder = re.compile(rb"(?<![\w./:-])/(work|root|home|Users)/[A-Za-z.]")
    for path in tracked():
        if path.suffix in {".jpg", ".png", ".webp", ".woff2", ".ico"}:
            continue
        data = path.read_bytes()
        for host in registry:
            assert host.encode() not in data, f"{path} names {host}"
        found = folder.search(data)
        assert found is None, f"{path} names a folder of a machine: {found and found[0]!r}"


@pytest.mark.parametrize("page", TEMPLATES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_template_needs_no_inline_script_or_style(page: Path) -> None:
    text = re.sub(
        r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", page.read_text(), flags=re.DOTALL
    )
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in tag or "application/json" in tag, tag
    assert not re.search(r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on", text)


@pytest.mark.parametrize("name", ["base", "test", "dev"])
def test_requirements_are_pinned_by_hash_and_name_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"^[\w.-]+(\[[\w,-]+\])?==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert "--index" not in text


def test_what_is_installed_is_what_is_pinned() -> None:
    text = (ROOT / "requirements" / "test.txt").read_text()
    pins = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==\S+(?: ;[^\\\n]+)?", text, re.MULTILINE)
    assert len(pins) > 50
    for pin in map(Requirement, pins):
        if pin.marker is None or pin.marker.evaluate():
            assert version(pin.name) in pin.specifier, f"{pin.name}: run make install"


def test_the_pinned_requirements_hold_everything_that_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = {
        "base": project["dependencies"],
        "test": [*project["dependencies"], *extras["test"]],
        "dev": [*project["dependencies"], *extras["test"], *extras["dev"]],
    }
    for name, wanted in asked.items():
        pinned = set(
            re.findall(
                r"^([\w.-]+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE
            )
        )
        for requirement in wanted:
            bare = re.match(r"[\w.-]+", requirement)
            assert bare is not None
            assert bare[0].lower().replace("_", "-") in pinned, f"{name}: {requirement}"


def test_the_generated_page_about_the_platforms_is_up_to_date() -> None:
    assert (ROOT / "docs" / "capabilities.md").read_text() == capabilities.page()


def test_every_test_that_the_page_of_promises_names_exists() -> None:
    text = (ROOT / "docs" / "requirements.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 60
    for path, test in named:
        assert (ROOT / path).exists(), path
        if test:
            assert f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"


def test_the_page_about_the_house_draws_the_layers_that_are_enforced() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(one["layers"] for one in contracts["contracts"] if one["id"] == "socials")
    drawn = "\n".join("  ".join(re.findall(r"\w+", layer)) for layer in layers)
    assert drawn in (ROOT / "docs" / "architecture.md").read_text()
