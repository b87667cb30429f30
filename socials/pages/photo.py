"""A talent's photo on its pages: refresh, choose, upload, remove, and the point that a crop keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from socials.images import files, pick
from socials.images.pixels import MAX_BYTES, Focus
from socials.images.refusals import ImageRefused, NoImage, TooLarge
from socials.models import Photo
from socials.pages.connections import header_or_404
from socials.pages.shell import fragment, gone_is_404, wants_fragment
from socials.pages.typed import number_of
from talent.models import ImageSource, Talent
from talent.pages.access import actor, manager_action

MASTER_SHOWN = 240
"""The longest side, in CSS pixels, at which the uncropped picture is shown for its focus."""

CORNERS = (
    ("0.5,0.5", "Middle"),
    ("0.5,0", "Top"),
    ("0.5,1", "Bottom"),
    ("0,0.5", "Left"),
    ("1,0.5", "Right"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A picture that could be the photo."""

    id: int
    source: str
    handle: str
    url: str
    is_shown: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Crop:
    """The shown picture uncropped, at the size at which it can be clicked."""

    photo_id: int
    url: str
    width: int
    height: int
    focus: str


@dataclass(frozen=True, slots=True)
class PhotoCard:
    choices: list[Choice]
    is_uploaded: bool
    crop: Crop | None
    corners: tuple[tuple[str, str], ...] = CORNERS


def photo_card(talent: Talent) -> PhotoCard:
    """What the Photo card shows: every kept picture of the talent, in two queries."""
    photos = list(Photo.objects.filter(talent=talent).select_related("connection__profile"))
    shown = pick.best(photos)
    photos.sort(key=lambda photo: (photo is not shown, photo.source, photo.pk))
    choices = [
        Choice(
            photo.pk,
            photo.source,
            photo.connection.handle if photo.connection else "",
            files.url(photo.name, 128),
            photo is shown,
            photo.is_chosen,
        )
        for photo in photos
    ]
    uploaded = any(photo.connection is None for photo in photos)
    return PhotoCard(choices, uploaded, _crop(shown) if shown else None)


def _crop(photo: Photo) -> Crop | None:
    """Nothing to choose where the picture is square anyway."""
    if abs(photo.width - photo.height) * 20 < max(photo.width, photo.height):
        return None
    scale = MASTER_SHOWN / max(photo.width, photo.height)
    return Crop(
        photo.pk,
        files.url(photo.name, "master"),
        round(photo.width * scale),
        round(photo.height * scale),
        f"{photo.focus_x:g},{photo.focus_y:g}",
    )


@manager_action
def talent_photo(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Look at the talent's accounts for a photo now."""
    with gone_is_404(Talent.DoesNotExist):
        picked = pick.refresh(talent_id, force=True)
    failed = picked.outcome == "failed"
    told = _words(picked)
    if wants_fragment(request):
        return fragment(
            request,
            "socials/_header_photo.html",
            toast=told,
            kind="error" if failed else "ready",
            header=header_or_404(talent_id),
            swap=True,
        )
    (messages.error if failed else messages.success)(request, told)
    return redirect("talent-overview", talent_id)


@manager_action
def photo_upload(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Keep an uploaded image: it wins until it is removed."""

    def upload() -> str:
        sent = request.FILES.get("image")
        if sent is None or isinstance(sent, list):
            raise NoImage("Choose a JPEG, PNG or WebP file first.")
        if (sent.size or 0) > MAX_BYTES:
            raise TooLarge
        pick.upload(talent_id, sent.read(), actor=actor(request))
        return "Photo uploaded. It stays until you remove it."

    return _done(request, talent_id, upload)


@manager_action
def photo_remove(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Drop the uploaded image and go back to the accounts'."""

    def remove() -> str:
        picked = pick.remove_upload(talent_id, actor=actor(request))
        if picked.source == ImageSource.INITIALS:
            return "Uploaded photo removed. Initials are shown."
        return f"Uploaded photo removed. The photo comes from {picked.source} again."

    return _done(request, talent_id, remove)


@manager_action
def photo_choose(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Prefer one account's picture, or go back to the usual order."""
    photo_id = _number(request, "photo") if request.POST.get("photo") else None

    def choose() -> str:
        picked = pick.choose(talent_id, photo_id, actor=actor(request))
        return f"The photo comes from {picked.source} now."

    return _done(request, talent_id, choose)


@manager_action
def photo_focus(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Crop around another point: where the picture was clicked, or a side that was named."""
    photo = Photo.objects.filter(talent_id=talent_id, pk=_number(request, "photo")).first()
    crop = _crop(photo) if photo else None
    if photo is None or crop is None:
        raise Http404
    focus = _focus(request, crop)

    def move() -> str:
        pick.set_focus(talent_id, photo.pk, focus, actor=actor(request))
        return "Photo cropped around that point."

    return _done(request, talent_id, move)


def _focus(request: HttpRequest, crop: Crop) -> Focus:
    corner = request.POST.get("corner", "")
    if "point.x" not in request.POST and corner in dict(CORNERS):
        x, _, y = corner.partition(",")
        return Focus(float(x), float(y))
    return Focus(
        min(_number(request, "point.x") / crop.width, 1.0),
        min(_number(request, "point.y") / crop.height, 1.0),
    )


def _number(request: HttpRequest, name: str) -> int:
    """Raises Http404 for what is no number."""
    number = number_of(request.POST.get(name))
    if number is None:
        raise Http404
    return number


def _done(request: HttpRequest, talent_id: int, act: Callable[[], str]) -> HttpResponse:
    try:
        with gone_is_404(Talent.DoesNotExist, Photo.DoesNotExist):
            messages.success(request, act())
    except ImageRefused as refusal:
        messages.error(request, f"{refusal} The photo stays as it was.")
    except FileNotFoundError:
        messages.error(request, "The kept picture is missing. Refresh the photo, then try again.")
    return redirect("talent-settings", talent_id)


def _words(picked: pick.Picked) -> str:
    if picked.outcome == "failed":
        return f"Could not refresh profile photo. {picked.reason}"
    if picked.source == ImageSource.MANUAL:
        return "The uploaded photo stays until it is removed"
    if picked.source == ImageSource.INITIALS:
        return "No profile photo found. Initials stay."
    return f"Profile photo updated from {picked.source}"
