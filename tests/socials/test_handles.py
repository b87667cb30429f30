"""Whatever people type or paste becomes one canonical handle, or a refusal that helps."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraping.handles import tidy, tiktok
from socials.errors import InvalidHandle
from socials.handles import Handle, at, parse, recognise
from socials.handles.youtube import youtube_filter

PLATFORMS = ["INSTAGRAM", "TIKTOK", "YOUTUBE", "TWITTER", "LINKEDIN"]
CHANNEL = "UC_x5XG1OV2P6uZZ5FSM9Ttw"

ACCEPTED = [
    # typed handles
    ("INSTAGRAM", "janesmith", "janesmith", "https://www.instagram.com/janesmith/"),
    ("INSTAGRAM", "@JaneSmith", "janesmith", "https://www.instagram.com/janesmith/"),
    ("INSTAGRAM", "  @jane.smith_99 \n", "jane.smith_99", "https://www.instagram.com/jane.smith_99/"),
    ("INSTAGRAM", "\uff20janesmith", "janesmith", "https://www.instagram.com/janesmith/"),
    ("INSTAGRAM", "\u200ejane\u200bsmith\u202c\ufeff", "janesmith", "https://www.instagram.com/janesmith/"),
    ("TIKTOK", "@Jane.Smith", "jane.smith", "https://www.tiktok.com/@jane.smith"),
    ("YOUTUBE", "@JaneSmith", "JaneSmith", "https://www.youtube.com/@JaneSmith"),
    ("YOUTUBE", CHANNEL, CHANNEL, f"https://www.youtube.com/channel/{CHANNEL}"),
    ("YOUTUBE", "user/JaneSmith", "user/JaneSmith", "https://www.youtube.com/user/JaneSmith"),
    ("YOUTUBE", "@김치요리", "김치요리", "https://www.youtube.com/@%EA%B9%80%EC%B9%98%EC%9A%94%EB%A6%AC"),
    ("YOUTUBE", "@हिन्दी", "हिन्दी", "https://www.youtube.com/@%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80"),
    ("YOUTUBE", "jane·smith", "jane·smith", "https://www.youtube.com/@jane%C2%B7smith"),
    ("TWITTER", "@Jane_Smith", "Jane_Smith", "https://x.com/Jane_Smith"),
    ("LINKEDIN", "jane-smith", "jane-smith", "https://www.linkedin.com/in/jane-smith/"),
    ("LINKEDIN", "in/Jane-Smith/", "jane-smith", "https://www.linkedin.com/in/jane-smith/"),
    ("LINKEDIN", "company/Acme", "company/acme", "https://www.linkedin.com/company/acme/"),
    # links
    ("INSTAGRAM", "https://www.instagram.com/janesmith/", "janesmith", None),
    ("INSTAGRAM", "http://instagram.com/JaneSmith", "janesmith", None),
    ("INSTAGRAM", "instagram.com/janesmith", "janesmith", None),
    ("INSTAGRAM", "m.instagram.com/janesmith/reels/", "janesmith", None),
    ("INSTAGRAM", "instagr.am/janesmith", "janesmith", None),
    ("INSTAGRAM", "//www.instagram.com/janesmith", "janesmith", None),
    ("INSTAGRAM", "HTTPS://WWW.INSTAGRAM.COM/JaneSmith/?igsh=MWQ1ZGUxMzBkMA==#", "janesmith", None),
    ("INSTAGRAM", "https://www.instagram.com:443/janesmith/?hl=en", "janesmith", None),
    ("INSTAGRAM", "https://www.instagram.com/stories/janesmith/3141592653/", "janesmith", None),
    ("INSTAGRAM", "https://www.instagram.com/janesmith/p/C0deC0de/", "janesmith", None),
    ("INSTAGRAM", "https://instagram.com/_u/janesmith", "janesmith", None),
    ("INSTAGRAM", "<https://www.instagram.com/janesmith/>", "janesmith", None),
    ("INSTAGRAM", "https://www.instagram.com/%6aanesmith/", "janesmith", None),
    ("TIKTOK", "https://www.tiktok.com/@janesmith?lang=en&_t=8abc", "janesmith", None),
    ("TIKTOK", "https://m.tiktok.com/@janesmith/", "janesmith", None),
    ("TIKTOK", "tiktok.com/@janesmith/video/7301234567890123456", "janesmith", None),
    ("TIKTOK", "https://www.tiktok.com/%40janesmith", "janesmith", None),
    ("YOUTUBE", "https://www.youtube.com/@JaneSmith/videos", "JaneSmith", None),
    ("YOUTUBE", "m.youtube.com/@JaneSmith?si=abc", "JaneSmith", None),
    ("YOUTUBE", f"https://music.youtube.com/channel/{CHANNEL}", CHANNEL, None),
    ("YOUTUBE", f"https://www.youtube.com/channel/{CHANNEL}/about?x=1", CHANNEL, None),
    ("YOUTUBE", "https://www.youtube.com/user/JaneSmith/videos", "user/JaneSmith", None),
    ("YOUTUBE", "https://www.youtube.com/c/JaneSmith", "JaneSmith", None),
    ("YOUTUBE", "https://www.youtube.com/JaneSmith", "JaneSmith", None),
    ("YOUTUBE", "https://www.youtube.com/@%EA%B9%80%EC%B9%98%EC%9A%94%EB%A6%AC", "김치요리", None),
    ("YOUTUBE", "https://www.youtube.com/@김치요리", "김치요리", None),
    ("TWITTER", "https://twitter.com/Jane_Smith/status/1234?s=20", "Jane_Smith", None),
    ("TWITTER", "https://mobile.twitter.com/Jane_Smith", "Jane_Smith", None),
    ("TWITTER", "x.com/Jane_Smith", "Jane_Smith", None),
    ("LINKEDIN", "https://de.linkedin.com/in/Jane-Smith-12ab?trk=x", "jane-smith-12ab", None),
    ("LINKEDIN", "https://www.linkedin.com/in/j%C3%BCrgen-groß/", "jürgen-groß", None),
    ("LINKEDIN", "https://www.linkedin.com/school/mit/people/", "school/mit", None),
]  # fmt: skip

REFUSED = [
    ("INSTAGRAM", "jane smith", "Did you mean @janesmith?"),
    ("INSTAGRAM", "jane!", "“!” can't be in an Instagram handle"),
    ("INSTAGRAM", "j\u0430ne", "“\u0430” can't be in an Instagram handle"),  # a Cyrillic a
    ("INSTAGRAM", "jane\x00smith", "invisible character (U+0000)"),
    ("INSTAGRAM", "j" * 31, "at most 30 characters"),
    ("INSTAGRAM", "jane..smith", "two in a row"),
    ("INSTAGRAM", ".jane", "begin or end with a dot"),
    ("INSTAGRAM", "explore", "page of Instagram's own"),
    ("INSTAGRAM", "@", "Type a handle"),
    ("INSTAGRAM", "x" * 10_000, "10,000 characters"),
    ("INSTAGRAM", "https://www.instagram.com/", "names no account"),
    ("INSTAGRAM", "instagram.com", "names no account"),
    ("INSTAGRAM", "https://www.instagram.com/p/C0deC0de/", "is a post"),
    ("INSTAGRAM", "https://www.instagram.com/reel/C0deC0de/", "is a post"),
    ("INSTAGRAM", "https://www.instagram.com/explore/tags/cats/", "isn't a profile"),
    ("INSTAGRAM", "https://www.instagram.com/stories/highlights/123/", "isn't a profile"),
    ("INSTAGRAM", "https://www.tiktok.com/@janesmith", "from TikTok, not from Instagram"),
    ("INSTAGRAM", "https://instagram.com.evil.example/janesmith", "isn't from Instagram"),
    ("INSTAGRAM", "https://instagram.com@evil.example/janesmith", "isn't from Instagram"),
    ("INSTAGRAM", "https://notinstagram.com/janesmith", "isn't from Instagram"),
    ("INSTAGRAM", "javascript://instagram.com/janesmith", "begins with https://"),
    ("INSTAGRAM", "https://www.instagram.com/jane%2Fsmith/", "“/” can't be"),
    ("INSTAGRAM", "https://www.instagram.com/jane%FFsmith/", "damaged"),
    ("INSTAGRAM", "https://[::1/janesmith", "isn't from Instagram"),
    ("INSTAGRAM", "https://", "isn't from Instagram"),
    ("YOUTUBE", "@youtube.com", "is a website"),
    ("TIKTOK", "https://vm.tiktok.com/ZMabc123/", "short TikTok link"),
    ("TIKTOK", "https://www.tiktok.com/t/ZMabc123/", "short TikTok link"),
    ("TIKTOK", "https://www.tiktok.com/@/video/7301234567890123456", "isn't a profile"),
    ("TIKTOK", "https://www.tiktok.com/foryou", "isn't a profile"),
    ("TIKTOK", "jane.", "end with a dot"),
    ("TIKTOK", "j", "2 to 24 characters"),
    ("TIKTOK", "j" * 25, "2 to 24 characters"),
    ("TIKTOK", "jane-smith", "“-” can't be in a TikTok handle"),
    ("YOUTUBE", "https://youtu.be/dQw4w9WgXcQ", "is a video"),
    ("YOUTUBE", "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "is a video"),
    ("YOUTUBE", "https://www.youtube.com/shorts/dQw4w9WgXcQ", "is a video"),
    ("YOUTUBE", "https://www.youtube.com/feed/subscriptions", "isn't a channel"),
    ("YOUTUBE", "https://www.youtube.com/channel/UCshort", "channel id is UC"),
    ("YOUTUBE", "https://www.youtube.com/channel/", "channel id is UC"),
    ("YOUTUBE", "ab", "3 to 30 characters"),
    ("YOUTUBE", "...", "letters or numbers"),
    ("YOUTUBE", "jane/smith", "“/” can't be"),
    ("TWITTER", "j" * 16, "at most 15 characters"),
    ("TWITTER", "https://x.com/home", "names no account"),
    ("LINKEDIN", "https://lnkd.in/abc", "short LinkedIn link"),
    ("LINKEDIN", "https://www.linkedin.com/feed/", "isn't a profile"),
    ("LINKEDIN", "a/b", "can't be in a LinkedIn name"),
]


@pytest.mark.parametrize(("platform", "typed", "handle", "url"), ACCEPTED)
def test_every_usual_form_becomes_one_canonical_account(platform, typed, handle, url):
    account = parse(platform, typed)
    assert account.handle == handle
    assert url is None or account.url == url
    assert parse(platform, url=account.url) == account


@pytest.mark.parametrize(("platform", "typed", "words"), REFUSED)
def test_a_refusal_says_what_is_wrong_and_names_the_field(platform, typed, words):
    with pytest.raises(InvalidHandle) as refusal:
        parse(platform, handle=typed)
    assert words in refusal.value.detail
    assert refusal.value.field == "handle"
    if "://" in typed:
        with pytest.raises(InvalidHandle) as refusal:
            parse(platform, url=typed)
        assert refusal.value.field == "profileUrl"


def test_every_refusal_shows_a_right_example_or_the_repair():
    for platform, typed, _ in REFUSED:
        with pytest.raises(InvalidHandle) as refusal:
            parse(platform, typed)
        helps = ("like ", "Did you mean", "begins with https://", "Copy it again")
        assert any(words in refusal.value.detail for words in helps), refusal.value.detail


def test_one_account_typed_in_two_cases_has_one_key():
    assert parse("YOUTUBE", "@JaneSmith").key == parse("YOUTUBE", "janesmith").key
    assert parse("TWITTER", "@JaneSmith").key == parse("TWITTER", "janesmith").key
    assert parse("YOUTUBE", "user/Jane").key != parse("YOUTUBE", "Jane").key


def test_channel_ids_that_differ_in_case_are_two_channels():
    other = CHANNEL[:-1] + CHANNEL[-1].swapcase()
    assert parse("YOUTUBE", CHANNEL).key != parse("YOUTUBE", other).key


def test_the_three_kinds_of_youtube_names_ask_three_parameters():
    assert youtube_filter(parse("YOUTUBE", CHANNEL).handle) == ("id", CHANNEL)
    assert youtube_filter(parse("YOUTUBE", "user/Jane").handle) == ("forUsername", "Jane")
    assert youtube_filter(parse("YOUTUBE", "@Jane").handle) == ("forHandle", "@Jane")


def test_a_handle_and_a_link_that_agree_are_one_account():
    account = parse("INSTAGRAM", "@JaneSmith", "https://instagram.com/janesmith?hl=en")
    assert account == Handle(
        "INSTAGRAM", "janesmith", "janesmith", "https://www.instagram.com/janesmith/"
    )


def test_a_handle_and_a_link_of_two_accounts_are_refused_with_both_names():
    with pytest.raises(InvalidHandle) as refusal:
        parse("INSTAGRAM", "jane", "https://www.instagram.com/bob/")
    assert refusal.value.field == "profileUrl"
    assert "@jane" in refusal.value.detail
    assert "@bob" in refusal.value.detail


def test_a_channel_id_wins_over_a_handle_that_only_youtube_could_compare():
    link = f"https://www.youtube.com/channel/{CHANNEL}"
    assert parse("YOUTUBE", "@JaneSmith", link).handle == CHANNEL


def test_nothing_at_all_asks_for_a_handle():
    with pytest.raises(InvalidHandle) as refusal:
        parse("TIKTOK", "  ", "")
    assert refusal.value.field == "handle"
    assert "@janesmith" in refusal.value.detail


def test_a_bare_name_is_no_link():
    with pytest.raises(InvalidHandle) as refusal:
        parse("INSTAGRAM", url="janesmith")
    assert refusal.value.field == "profileUrl"
    assert "https://www.instagram.com/janesmith/" in refusal.value.detail


@pytest.mark.parametrize(
    ("text", "platform", "handle"),
    [
        ("https://www.youtube.com/@MilaOkafor", "YOUTUBE", "MilaOkafor"),
        ("instagram.com/mila", "INSTAGRAM", "mila"),
        ("tiktok.com/@mila", "TIKTOK", "mila"),
        ("x.com/mila", "TWITTER", "mila"),
        ("linkedin.com/in/mila-okafor", "LINKEDIN", "mila-okafor"),
    ],
)
def test_a_pasted_link_tells_its_platform(text, platform, handle):
    account = recognise(text)
    assert (account.platform, account.handle) == (platform, handle)


@pytest.mark.parametrize("text", ["https://example.com/jane", "@jane", "", "ftp://x.com/jane"])
def test_what_is_no_link_of_a_known_network_is_not_recognised(text):
    with pytest.raises(InvalidHandle) as refusal:
        recognise(text)
    assert refusal.value.field == "profileUrl"


def test_the_profile_apis_rule_for_tiktok_is_the_same_rule():
    assert tiktok("https://www.tiktok.com/@JaneSmith?lang=en") == "janesmith"
    with pytest.raises(InvalidHandle, match="isn't from TikTok"):
        tiktok("https://www.instagram.com/janesmith/")


def test_people_see_an_at_sign_only_where_one_belongs():
    assert at("TIKTOK", "jane") == "@jane"
    assert at("YOUTUBE", CHANNEL) == CHANNEL
    assert at("LINKEDIN", "jane-smith") == "jane-smith"


def test_hostile_lengths_are_answered_at_once():
    started = time.perf_counter()
    for text in ("@" * 10_000, "a." * 5_000, "https://" + "a." * 5_000, "%" * 1_999, "﷽" * 1_999):
        for platform in PLATFORMS:
            with pytest.raises(InvalidHandle):
                parse(platform, text)
    assert time.perf_counter() - started < 1


_PIECES = st.sampled_from(
    ["https://", "//", "www.", "@", "\uff20", "/", "?", "#", "%", "%20", "%00", "\u200f", "UC", ".", "·",
     "instagram.com", "tiktok.com", "youtube.com", "youtu.be", "x.com", "linkedin.com", "channel/",
     "user/", "in/", "stories/", "jane", "İ", "ß", "ﬁ", "\u3164", " ", ":"]
)  # fmt: skip
_TEXTS = st.text(max_size=60) | st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join)


def answer(platform, handle, url=""):
    try:
        return parse(platform, handle, url)
    except InvalidHandle as refusal:
        return refusal


@settings(max_examples=600)
@given(platform=st.sampled_from(PLATFORMS), text=_TEXTS)
def test_any_text_is_one_account_however_often_it_is_read_or_a_named_refusal(platform, text):
    account = answer(platform, text)
    if isinstance(account, InvalidHandle):
        assert account.detail
        assert account.field == "handle"
        return
    assert parse(platform, account.handle) == account
    assert parse(platform, url=account.url) == account
    assert recognise(account.url) == account
    assert parse(platform, account.key).key == account.key
    assert len(account.handle) <= 120
    assert len(account.url) <= 500
    assert account.url.isascii()
    assert "\x00" not in account.handle


@settings(max_examples=200)
@given(handle=_TEXTS, url=_TEXTS)
def test_no_pair_of_texts_raises_anything_else(handle, url):
    for platform in PLATFORMS:
        account = answer(platform, handle, url)
        assert not isinstance(account, InvalidHandle) or account.field in {"handle", "profileUrl"}


@settings(max_examples=300)
@given(text=st.text(max_size=40))
def test_tidying_twice_changes_nothing(text):
    assert tidy(tidy(text)) == tidy(text)


@settings(max_examples=200)
@given(name=st.from_regex(r"[a-z0-9_]{3,15}", fullmatch=True))
def test_upper_and_lower_case_are_one_account_everywhere(name):
    for platform in ("INSTAGRAM", "TIKTOK", "YOUTUBE", "TWITTER"):
        try:
            lower = parse(platform, name)
        except InvalidHandle:
            assert platform in {"INSTAGRAM", "TWITTER", "YOUTUBE"}  # a page's name, or only "_"
            continue
        assert parse(platform, f"@{name.upper()}").key == lower.key
