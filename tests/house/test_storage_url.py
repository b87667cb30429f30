"""STORAGE_URL: what it may say, and the one line that tells what is wrong with it."""

from __future__ import annotations

import pytest

from config.storage import DISK, EXAMPLE, place

HOUSE = "https://greenroom.example"


@pytest.mark.parametrize(
    ("address", "shown_from", "options"),
    [
        (
            "s3://KEY:S/E+C%3D@s3.eu-west-3.amazonaws.com/photos",
            "https://photos.s3.eu-west-3.amazonaws.com",
            {"secret_key": "S/E+C=", "region_name": "eu-west-3", "addressing_style": "virtual"},
        ),
        (
            "s3://KEY:SECRET@s3.eu-west-3.amazonaws.com/dotted.photos",
            "https://s3.eu-west-3.amazonaws.com",
            {"addressing_style": "path"},
        ),
        (
            "s3://KEY:a@b@store.example:9000/photos/the%20house/?region=nl-1",
            "https://store.example:9000",
            {
                "secret_key": "a@b",
                "location": "the house",
                "region_name": "nl-1",
                "endpoint_url": "https://store.example:9000",
            },
        ),
        (
            "s3://KEY:SECRET@10.0.0.7:9000/photos?tls=off&public_url=https://cdn.example/p/",
            "https://cdn.example",
            {"endpoint_url": "http://10.0.0.7:9000", "shown_at": "https://cdn.example/p"},
        ),
    ],
)
def test_a_bucket_is_understood(address: str, shown_from: str, options: dict[str, str]) -> None:
    found = place(address, public_url=HOUSE)
    assert found.shown_from == shown_from
    assert found.options.items() >= options.items()


def test_unset_it_is_a_folder_and_pictures_come_from_here_alone() -> None:
    assert place("", public_url=HOUSE) == DISK
    assert DISK.shown_from == ""


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://store.example/photos", EXAMPLE),
        ("s3://photos", EXAMPLE),
        ("s3://KEY@store.example/photos", EXAMPLE),
        ("s3://KEY:hidden-secret@store.example", EXAMPLE),
        ("s3://KEY:hidden-secret@store.example:99999/photos", EXAMPLE),
        ("s3://KEY:hidden-secret@store.example/My_Photos", EXAMPLE),
        ("s3://KEY:hidden-secret@store.example/photos/../else", ".."),
        ("s3://KEY:hidden-secret@store.example/photos?regoin=x", "region"),
        ("s3://KEY:hidden-secret@store.example/photos?region=", "region=eu-central-1"),
        ("s3://KEY:hidden-secret@store.example/photos?tls=maybe", "on nor off"),
        ("s3://KEY:hidden-secret@store.example/photos?tls=off", "public_url=https://"),
        ("s3://KEY:hidden-secret@store.example/photos?public_url=photos", "public_url=https://"),
        (
            "s3://KEY:hidden-secret@store.example/photos?public_url=https://a;script-src+*",
            "public_url=https://",
        ),
    ],
)
def test_a_senseless_one_stops_the_start_and_shows_a_right_one(
    address: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        place(address, public_url=HOUSE)
    line = capsys.readouterr().err
    assert line.startswith("greenroom: STORAGE_URL ")
    assert line.count("\n") == 1
    assert told in line
    assert "hidden-secret" not in line
