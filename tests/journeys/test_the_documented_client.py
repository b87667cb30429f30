"""The client in docs/api.md does what the page says, against a real server and a real worker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from talent.models import ApiToken, User
from tests.conftest import ROOT, Cluster


@pytest.mark.engine
def test_the_documented_client_connects_waits_and_reads(
    platform_settings: dict[str, str],
    worker: Cluster,
    live_server: Any,
    alice: User,
    tmp_path: Path,
) -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    (client,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    script = tmp_path / "client.py"
    script.write_text(client)
    _, secret = ApiToken.issue(alice, name="the client of the docs")
    environment = os.environ | {"GREENROOM_URL": live_server.url, "GREENROOM_TOKEN": secret}
    ran = subprocess.run(
        [sys.executable, str(script)],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert ran.returncode == 0, ran.stderr
    first, *posts = ran.stdout.splitlines()
    assert re.fullmatch(r"janesmith \d+ followers", first)
    assert len(posts) >= 3
    assert all(
        re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [A-Z]+ (\d+|None) ", post) for post in posts
    )
