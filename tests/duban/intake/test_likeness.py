"""The same picture is known again; two others are told apart, white scans most of all."""

import io
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any, cast

import imagehash
import pytest
from PIL import Image, ImageEnhance

from duban.intake.likeness import NEAR, near, picture_hash
from tests.duban.intake.honest import form, photo, saved, scan

MAKERS: dict[str, Callable[[int], Image.Image]] = {"photo": photo, "scan": scan, "form": form}
# What was measured here; the smallest distance between two different ones.
APART = {"photo": 90, "scan": 50, "form": NEAR + 2}


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def resaved(image: Image.Image) -> Iterator[Image.Image]:
    """What happens to a picture on its way through phones and chat programs."""
    width, height = image.size
    yield Image.open(io.BytesIO(saved(image, "JPEG", quality=60)))
    yield image.resize((width // 2, height // 2))
    yield ImageEnhance.Brightness(image).enhance(1.1)
    yield ImageEnhance.Brightness(image).enhance(0.9)
    yield image.crop((width // 200, height // 200, width - width // 200, height - height // 200))


@pytest.mark.parametrize("what", MAKERS)
def test_a_resaved_picture_is_near_and_another_is_not(
    what: str, record_property: Callable[[str, object], None]
):
    pictures = [MAKERS[what](seed) for seed in range(12)]
    hashes = [picture_hash(picture) for picture in pictures]
    same = [
        distance(own, picture_hash(other))
        for own, picture in zip(hashes[:5], pictures, strict=False)
        for other in resaved(picture)
    ]
    others = [distance(one, other) for one, other in combinations(hashes, 2)]
    record_property("farthest of the same", max(same))
    record_property("nearest of others", min(others))
    print(f"{what}: same at most {max(same)}, others at least {min(others)} of 256 bits")
    assert max(same) <= NEAR
    assert min(others) >= APART[what]


def test_sixty_four_bits_would_not_do():
    """Why the hash is longer than usual: two fillings of a form come nearer than a crop."""
    forms = [form(seed) for seed in range(12)]
    hashes = [short_hash(one) for one in forms]
    nearest = min((one ^ other).bit_count() for one, other in combinations(hashes, 2))
    crops = [one.crop((12, 17, 608, 860)) for one in forms]
    farthest = max(
        (one ^ short_hash(crop)).bit_count() for one, crop in zip(hashes, crops, strict=True)
    )
    assert nearest <= farthest


def short_hash(image: Image.Image) -> int:
    return int(str(cast(Any, imagehash).phash(image)), 16)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("0" * 64, "0" * 64, True),
        ("0" * 64, "0" * 59 + "fffff", True),
        ("0" * 64, "0" * 58 + "1fffff", False),
        ("", "", False),
        ("", "0" * 64, False),
        ("0" * 16, "0" * 64, False),
    ],
)
def test_near_counts_bits(one: str, other: str, expected: bool):
    assert near(one, other) is expected


def test_an_empty_sheet_is_like_nothing():
    sheets = [Image.new("RGB", (800, 1100), shade) for shade in ("white", "#fdfdfa")]
    assert [picture_hash(sheet) for sheet in sheets] == ["", ""]
    assert not near("", "")
