"""``python -m bench.outage --seconds 40``: the database stops in the middle of the work.

Two clusters are syncing; afterwards every account must be READY with its posts once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

from bench.__main__ import set_up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--connections", type=int, default=300)
    options = parser.parse_args()
    set_up()

    # Models can be imported only once Django is set up.
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from bench import stage, storm  # noqa: PLC0415
    from config import embedded_postgres  # noqa: PLC0415
    from socials.models import Connection  # noqa: PLC0415
    from talent.queue import later  # noqa: PLC0415

    stage.empty()
    stage.seed(options.connections)
    with (
        stage.slow_platform(0.3),
        stage.cluster(workers=2, concurrency=32),
        stage.cluster(workers=2, concurrency=32, fresh=False),
    ):
        # Whoever starts later would start the database too.
        stage.wait_for("SELECT count(*) >= %s FROM socials_worker", [4], seconds=60)
        Connection.objects.all().request(trigger="manual", priority=0)
        later("socials.tasks.sync_due", "")
        stage.wait_for(
            "SELECT count(*) >= %s FROM socials_connection WHERE sync_status = 'READY'",
            [options.connections // 10],
            seconds=60,
        )
        held = stage.number("SELECT count(*) FROM socials_connection WHERE lease_owner <> ''")
        connection.close()
        os.kill(stage.postmaster(), signal.SIGINT)
        time.sleep(options.seconds)
        embedded_postgres.url(settings.VAR_DIR / "postgres")
        began = time.monotonic()
        stage.wait_for(storm.CALM, [0], seconds=300)
        seconds = time.monotonic() - began
    broken = {what: n for what, ask in storm.PROMISES.items() if (n := stage.number(ask))}
    ready = stage.number("SELECT count(*) FROM socials_connection WHERE sync_status = 'READY'")
    sys.stdout.write(
        f"{options.seconds:g} s without a database while {held} were held: {ready} of "
        f"{options.connections} READY {seconds:.1f} s after its return; broken promises: "
        f"{broken or 'none'}\n"
    )
    return int(bool(broken) or ready < options.connections)


if __name__ == "__main__":
    raise SystemExit(main())
