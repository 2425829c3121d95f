"""Pictures: read once, kept as bare pixels; position, camera and hidden parts stay behind."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pillow_heif
from PIL import Image, ImageOps

from duban.intake.foreign import refuse_foreign
from duban.intake.keeping import whole
from duban.intake.likeness import picture_hash
from duban.intake.verdict import MAX_PIXELS, Found, Refusal, Refused

PREVIEW_SIZE = (1600, 4800)
_FORMATS = {"jpg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",), "heic": ("HEIF",)}
_PLAIN_MODES = ("1", "L", "P", "RGB")

# More threads would need more of the limited memory, and one picture is read at a time.
cast(Any, pillow_heif).register_heif_opener(decode_threads=1, thumbnails=False)
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def examine(source: Path, kind: str, target: Path, previews: Path) -> Found:
    """Writes the pixels anew to `target` (PNG as PNG, all others as JPEG) and one preview.

    Of a moving picture the first frame is kept. Colour profiles are dropped with the rest.

    Raises:
        Refused, and what Pillow raises on damage.
    """
    refuse_foreign(source.read_bytes())
    bare = _bare(_loaded(source, kind))
    kept = "png" if kind == "png" else "jpg"
    packed = _packed(bare, "PNG") if kept == "png" else _packed(_flat(bare), "JPEG", quality=90)
    _write(packed, target)
    return Found(kept, picture_hash=preview(bare, previews / "1.jpg"), pages=1)


def preview(image: Image.Image, target: Path) -> str:
    """Writes a smaller JPEG of a picture and returns its perceptual hash."""
    small = _flat(image)
    small.thumbnail(PREVIEW_SIZE, reducing_gap=2.0)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(_packed(small, "JPEG", quality=80), target)
    return picture_hash(small)


def _packed(image: Image.Image, form: str, **options: int) -> BytesIO:
    packed = BytesIO()
    image.save(packed, form, **options)
    return packed


def _write(packed: BytesIO, target: Path) -> None:
    """Apart from packing: Pillow hides why a write failed, and a full disk is not damage."""
    with whole(target) as file:
        file.write(packed.getbuffer())


def _loaded(source: Path, kind: str) -> Image.Image:
    with source.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(file, formats=_FORMATS[kind])
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Refused(Refusal.TOO_MANY_PIXELS, f"over {MAX_PIXELS} pixels") from error
        except Image.UnidentifiedImageError as error:
            raise Refused(Refusal.DAMAGED, f"no readable {kind}") from error
        image.load()
    return image


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone, turned the way they were meant to be seen."""
    turned = ImageOps.exif_transpose(image)
    if turned.has_transparency_data:
        turned = turned.convert("RGBA")
    elif turned.mode.startswith("I;16"):
        turned = turned.point(lambda value: value / 256).convert("L")
    elif turned.mode not in _PLAIN_MODES:
        turned = turned.convert("RGB")
    bare = turned.copy()
    bare.info.clear()
    return bare


def _flat(image: Image.Image) -> Image.Image:
    """On white paper, in a mode that JPEG knows; always a copy."""
    if image.mode != "RGBA":
        return image.convert("L" if image.mode in ("1", "L") else "RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper
