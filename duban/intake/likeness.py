"""Whether two pictures show the same: a 256-bit perceptual hash of each.

Measured on generated pictures, in bits that differ. The same picture saved at quality 60, at half
or a third of its size, up to 15 % brighter or darker: at most 10; cropped by half a per cent on
each side: 12, by one: 22. Different photographs: at least 108; white scans of different text: 58;
one form with different figures filled in: 22. With the usual 64 bits the last two come down to 6
and 4 and mix with the crops; hence 256.
"""

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 16
NEAR = 20
BLANK = 16
"""A hash with fewer bits set is that of an empty sheet, which is like every other empty sheet."""


def picture_hash(image: "Image") -> str:
    """The hash as 64 hex digits; empty for a picture with nothing on it."""
    # It takes numpy and scipy along, which only the inspecting process needs.
    import imagehash

    found = str(cast(Any, imagehash).phash(image, hash_size=SIDE))
    return found if int(found, 16).bit_count() >= BLANK else ""


def near(one: str, other: str, distance: int = NEAR) -> bool:
    """Whether at most `distance` of the 256 bits differ; an empty hash is near to nothing."""
    if len(one) != len(other) or not one:
        return False
    return (int(one, 16) ^ int(other, 16)).bit_count() <= distance
