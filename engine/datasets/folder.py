"""Images sorted into one folder a class, PNG or JPEG, with or without train, val and test folders above."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.datasets.dataset import Array, ReadOptions
from engine.datasets.files import check_size, is_folder, list_folder
from engine.datasets.published import Part, Published
from engine.errors import DataError, Fix

if TYPE_CHECKING:
    from PIL.Image import Image

_SUFFIXES = {".png", ".jpg", ".jpeg"}
_TRAIN = ("train", "training")
_VALIDATION = ("val", "valid", "validation")
_TEST = ("test", "testing")


def read_class_folders(folder: Path, options: ReadOptions) -> Published:
    """The images below a folder; classes are numbered in the natural order of their folders' names."""
    parts = {entry.name.lower(): entry for entry in list_folder(folder) if is_folder(entry)}
    train = _first(parts, _TRAIN)
    validation, test = (_first(parts, _VALIDATION), _first(parts, _TEST)) if train is not None else (None, None)
    root = folder if train is None else train
    classes = _class_folders(root)
    names = tuple(entry.name for entry in classes)
    return Published(
        folder.name,
        _read_part(root, classes, names, options),
        _optional_part(validation, names, options),
        _optional_part(test, names, options),
        classes=names,
        source=str(folder),
    )


def _first(parts: dict[str, Path], names: Sequence[str]) -> Path | None:
    return next((parts[name] for name in names if name in parts), None)


def _class_folders(root: Path) -> list[Path]:
    """The class folders in natural order; raises DataError unless there are at least two with images."""
    entries = list_folder(root)
    folders = [entry for entry in entries if is_folder(entry)]
    if not folders:
        loose = [entry for entry in entries if entry.suffix.lower() in _SUFFIXES]
        what = "{path}: the images lie in one folder." if loose else "{path}: there are no images here."
        raise DataError(
            what,
            code="data.no_class_folders",
            path=str(root),
            fixes=(Fix("advice", "make one folder for each class and put its images there"),),
        )
    if len(folders) == 1:
        raise DataError(
            "{path}: there is only one class folder, {name}; a network tells classes apart and needs at least two.",
            code="data.one_class",
            path=str(root),
            name=repr(folders[0].name),
            fixes=(Fix("advice", "open {inner} if the classes are in there", {"inner": str(folders[0])}),),
        )
    return folders


def _optional_part(root: Path | None, names: tuple[str, ...], options: ReadOptions) -> Part | None:
    if root is None:
        return None
    folders = [entry for entry in list_folder(root) if is_folder(entry)]
    for entry in folders:
        if entry.name not in names:
            raise DataError(
                "{path}: there is no class {name} among the training images.",
                code="data.label_unknown",
                path=str(entry),
                name=repr(entry.name),
                fixes=(
                    Fix(
                        "advice",
                        "use the same class folders as for training: {names}",
                        {"names": ", ".join(names)},
                    ),
                ),
            )
    if not folders:
        return None
    return _read_part(root, folders, names, options)


def _read_part(root: Path, folders: list[Path], names: tuple[str, ...], options: ReadOptions) -> Part:
    """All images of these class folders, grey if all of them are, otherwise with three colour channels."""
    inside = [[entry for entry in list_folder(folder) if entry.suffix.lower() in _SUFFIXES] for folder in folders]
    if not any(inside):
        raise DataError(
            "{path}: none of its folders ({names}) holds PNG or JPEG images.",
            code="data.no_class_folders",
            path=str(root),
            names=", ".join(folder.name for folder in folders),
            fixes=(Fix("advice", "open the folder that lies directly above the class folders"),),
        )
    labels: list[int] = []
    for folder, images in zip(folders, inside, strict=True):
        if not images:
            raise DataError(
                "{path}: this class folder holds no PNG or JPEG image.",
                code="data.empty",
                path=str(folder),
                fixes=(Fix("advice", "add images of this class, or remove the folder"),),
            )
        labels += [names.index(folder.name)] * len(images)
    files = [file for images in inside for file in images]
    pixels = _same_size(files, options.resize)
    channels = max(image.shape[2] for image in pixels)
    stacked = np.empty((len(pixels), channels, *pixels[0].shape[:2]), np.uint8)
    for place, image in zip(stacked, pixels, strict=True):
        place[...] = image.transpose(2, 0, 1)  # a grey image fills all three channels
    return Part(str(root), stacked, np.array(labels, np.int64), str(root))


def _same_size(files: list[Path], resize: tuple[int, int]) -> list[Array]:
    """Each file as (H, W, 1 or 3) uint8; raises DataError at the first that differs in size."""
    pixels: list[Array] = []
    total = 0
    for file in files:
        image = _read_image(file, resize)
        if pixels and image.shape[:2] != pixels[0].shape[:2]:
            (height, width), (first_height, first_width) = image.shape[:2], pixels[0].shape[:2]
            raise DataError(
                "{path}: this image has {height} × {width} pixels, the first, {first}, has {first_height} × {first_width}.",
                code="data.image_size",
                path=str(file),
                height=height,
                width=width,
                first=str(files[0]),
                first_height=first_height,
                first_width=first_width,
                fixes=(
                    Fix(
                        "set",
                        "resize all images with resize = {height} × {width}",
                        {"height": first_height, "width": first_width},
                        field="resize",
                        value=(first_height, first_width),
                    ),
                ),
            )
        total += image.size
        check_size(file, total)
        pixels.append(image)
    return pixels


def _read_image(file: Path, resize: tuple[int, int]) -> Array:
    # Imported here because it takes 40 ms, which the start of the program can do without.
    from PIL import Image, ImageOps

    try:
        with Image.open(file, formats=("PNG", "JPEG")) as image:
            upright = _eight_bits(ImageOps.exif_transpose(image))
            if all(resize):
                height, width = resize
                upright = upright.resize((width, height), Image.Resampling.BILINEAR)
            pixels = np.asarray(upright)
    except PermissionError as error:
        raise DataError("{path}: this account may not read it.", code="data.permission", path=str(file)) from error
    except Exception as error:
        # Damaged images make Pillow's decoders raise almost anything: OSError, SyntaxError, struct.error …
        raise DataError(
            "{path}: this is no readable PNG or JPEG image ({reason}).",
            code="data.image",
            path=str(file),
            reason=str(error) or type(error).__name__,
            fixes=(Fix("advice", "replace or remove the file"),),
        ) from error
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _eight_bits(image: Image) -> Image:
    """The image as 8-bit grey ("L") or colour ("RGB"), laid on white where it is transparent."""
    from PIL import Image as PIL_Image

    if image.mode.startswith("I"):
        # 16 bits: Pillow's own conversion would clip at 255 instead of scaling.
        return PIL_Image.fromarray((np.asarray(image).astype(np.int64) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        colour = image.convert("RGBA")
        white = PIL_Image.new("RGBA", colour.size, "white")
        flat = PIL_Image.alpha_composite(white, colour).convert("RGB")
        return flat.convert("L") if image.mode == "LA" else flat
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
