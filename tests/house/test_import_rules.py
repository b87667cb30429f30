"""Each import rule, broken on purpose: it must bite."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("config", "talent", "scraping", "socials")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the code that may be spoiled."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__", "artwork", "migrations"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> tuple[int, str]:
    answer = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout


def test_the_house_as_it_stands_keeps_every_rule(tree: Path) -> None:
    code, told = lint(tree)
    assert code == 0, told


@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("talent/roster.py", "import socials.models", "each knows only those below"),
        ("scraping/ledger.py", "import talent.models", "each knows only those below"),
        ("socials/queries.py", "import config.env", "Settings are read through django.conf"),
        ("socials/sync/engine.py", "import socials.connections", "Inside socials"),
        ("socials/models/connection.py", "import socials.handles", None),
        ("socials/assistance.py", '"""A module that stands nowhere."""', "Inside socials"),
        ("talent/models/user.py", "import talent.roster", "Inside talent"),
        ("scraping/types.py", "import scraping.ledger", "Inside scraping"),
        ("socials/platforms/youtube/parse.py", "import django.utils.timezone", "plain Python"),
        ("scraping/wire.py", "import django.db", "plain Python"),
        ("socials/platforms/youtube/api.py", "import socials.platforms.tiktok.api", "do not know each other"),
        ("socials/platforms/youtube/api.py", "import socials.platforms.youtube.sandbox", "opens the sandboxes"),
        ("socials/connections.py", "import django_q.tasks", "One door to the queue"),
        ("socials/images/refusals.py", "import socials.images.download", "No circles"),
    ],
)  # fmt: skip
def test_a_forbidden_import_is_refused(tree: Path, file: str, line: str, rule: str | None) -> None:
    path = tree / file
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before}\n{line}\n")
    code, told = lint(tree)
    broken = [said for said in told.splitlines() if " BROKEN" in said]
    if rule is None:
        assert (code, broken) == (0, []), "what stands below may be imported"
    else:
        assert code != 0
        assert any(rule in said for said in broken), told
