"""``erase_talent``: removes a person's data everywhere and prints the receipt."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socials.erasure import Receipt, erase
from talent.models import Talent


class Command(BaseCommand):
    help = "Erase a talent everywhere: accounts, numbers, photos, grants, log lines. No way back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="the talent's id")
        parser.add_argument("--yes", action="store_true", help="don't ask")
        parser.add_argument("--json", action="store_true", help="print the receipt as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        talent_id: int = options["id"]
        if not options["yes"]:
            self._ask(talent_id)
        try:
            receipt = erase(talent_id)
        except Talent.DoesNotExist:
            raise _unknown(talent_id) from None
        self.stdout.write(json.dumps(receipt.as_json()) if options["json"] else _words(receipt))

    def _ask(self, talent_id: int) -> None:
        talent = Talent.objects.filter(pk=talent_id).first()
        who = f"{talent.name} (talent {talent_id})" if talent else f"what is left of {talent_id}"
        self.stderr.write(f"This erases {who} everywhere. There is no way back.")
        try:
            answer = input("Type the id again to go on: ")
        except EOFError:
            answer = ""
        if answer.strip() != str(talent_id):
            raise CommandError("Nothing was erased.", returncode=1)


def _unknown(talent_id: int) -> CommandError:
    return CommandError(f"There is no talent {talent_id}, nor any trace of it.", returncode=2)


def _words(receipt: Receipt) -> str:
    lines = [f"Talent {receipt.talent_id} was erased at {receipt.as_json()['erasedAt']}."]
    lines += [f"{number:>8}  {table}" for table, number in receipt.erased.items()]
    return "\n".join(lines)
