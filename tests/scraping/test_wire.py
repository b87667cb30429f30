"""Reading JSON: what is unknown is counted, what is missing is null, what is wrong is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import BadResponse
from scraping.meter import MOST_DRIFT, Meter
from scraping.wire import Fields, parsed, storable

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def fields(value: Any, meter: Meter | None = None) -> Fields:
    return Fields(value, platform="TIKTOK", source="apify", meter=meter)


@given(ANY_JSON)
def test_whatever_stands_in_a_field_is_a_value_or_a_failure_that_names_it(value: Any) -> None:
    row = fields({"x": value})
    for read in (row.text, row.ident, row.need, row.count, row.number, row.flag, row.time,
                 row.epoch, row.child, row.items, lambda key: list(row.children(key))):  # fmt: skip
        fault, found = outcome_of(read)
        if fault is not None:
            assert (fault.platform, fault.source) == ("TIKTOK", "apify")
            assert fault.field.startswith("x")
            assert fault.detail
        if isinstance(found, str):
            assert "\x00" not in found.encode().decode()
        if isinstance(found, datetime):
            assert found.tzinfo is UTC


def outcome_of(read: Any) -> tuple[BadResponse | None, Any]:
    try:
        return None, read("x")
    except BadResponse as fault:
        return fault, None


@pytest.mark.parametrize(
    ("told", "count"),
    [
        (0, 0), ("0", 0), ("120345", 120345), (2**63 - 1, 2**63 - 1), ("9223372036854775807", 2**63 - 1),
        (12.0, 12), (None, None), ("", None),
    ],
)  # fmt: skip
def test_counts_come_as_numbers_or_digits_up_to_64_bits(told: Any, count: int | None) -> None:
    assert fields({"n": told}).count("n") == count


@pytest.mark.parametrize(
    "told",
    [-1, 2**63, "-1", "1,234", "12.5", "٣", 1.5, 1e300, float("inf"), float("nan"), True, [], {}, "9" * 30],
)  # fmt: skip
def test_what_is_no_count_is_named_and_never_becomes_zero(told: Any) -> None:
    with pytest.raises(BadResponse, match="n should be a count"):
        fields({"n": told}).count("n")


def test_text_loses_what_no_database_takes() -> None:
    told = json.loads('{"bio": "a\\u0000b \\ud83d c \\ud83d\\ude00"}')
    assert fields(told).text("bio") == "ab \ufffd c 😀"
    assert storable("plain") == "plain"


def test_text_of_nothing_but_nul_is_no_text() -> None:
    assert fields({"bio": "\x00"}).text("bio") is None


def test_identifiers_stay_exact_beyond_53_bits() -> None:
    assert fields(json.loads('{"id": 17841405793187218}')).need("id") == "17841405793187218"


def test_an_identifier_of_absurd_length_is_refused() -> None:
    with pytest.raises(BadResponse, match="id should be an identifier"):
        fields({"id": "x" * 121}).need("id")


@pytest.mark.parametrize(
    "told", ["2026-11-21T10:00:00+0000", "2026-11-21T10:00:00.000Z", "2026-11-21T11:00:00+01:00"]
)
def test_times_of_every_spelling_are_utc(told: str) -> None:
    assert fields({"at": told}).time("at") == datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "told", ["10 months ago", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"]
)
def test_what_is_no_time_is_named(told: str) -> None:
    with pytest.raises(BadResponse, match="at should be a time"):
        fields({"at": told}).time("at")


def test_a_path_leads_to_the_fault() -> None:
    row = fields({"data": {"videos": [{"id": "1"}, {"id": []}]}})
    with pytest.raises(BadResponse) as caught:
        [video.need("id") for video in row.child("data").children("videos")]
    assert caught.value.field == "data.videos[1].id"


def test_unknown_fields_are_counted_once_per_place_and_never_without_end() -> None:
    meter = Meter()
    row = fields({"items": [{"new": 1}, {"new": 2}]}, meter)
    for item in row.children("items"):
        item.known("id")
    assert meter.drift == {("apify", "items[].new"): 2}
    fields({f"k{n}": 1 for n in range(10_000)} | {"x" * 900 + "\x00\ud800": 1}, meter).known()
    assert len(meter.drift) == MOST_DRIFT
    assert all(len(path) <= 200 and path.isprintable() for _, path in meter.drift)


def test_json_inside_a_page_ends_where_its_value_ends() -> None:
    assert parsed(' {"a": [1]}, "b": 2} </script>', platform="TIKTOK") == {"a": [1]}
    with pytest.raises(BadResponse):
        parsed("{", platform="TIKTOK")
