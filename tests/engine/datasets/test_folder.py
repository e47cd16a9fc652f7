"""Folders of images: real sets, every colour mode, and every way in which such folders are incomplete or broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import ReadOptions, SplitOptions

from .conftest import Refused

NO_VALIDATION = SplitOptions(validation=0)


def save(path: Path, pixels: np.ndarray | Image.Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path)
    return path


def grey(value: int, height: int = 6, width: int = 4) -> np.ndarray:
    return np.full((height, width), value, np.uint8)


def fill(root: Path, classes: dict[str, int], base: int = 0) -> Path:
    for name, count in classes.items():
        for i in range(count):
            save(root / name / f"{i}.png", grey(base + i))
    return root


def test_the_digits_of_a_folder_are_those_of_mnist(shared_data: Path) -> None:
    data = open_dataset(shared_data / "image_folders" / "mnist_png")
    assert (data.shape, data.classes) == ((1, 28, 28), tuple("0123456789"))
    assert (len(data.train), len(data.validation), data.test) == (240, 60, None)
    mnist = open_dataset(shared_data / "mnist")
    assert mnist.test is not None
    known = {image.tobytes(): label for image, label in zip(mnist.test.images, mnist.test.labels, strict=True)}
    for part in (data.train, data.validation):
        assert [known[image.tobytes()] for image in part.images] == part.labels.tolist()


def test_colour_photos_in_train_and_test_folders(shared_data: Path) -> None:
    data = open_dataset(shared_data / "image_folders" / "cifar10_jpg")
    assert data.test is not None
    assert (data.shape, data.classes[:2]) == ((3, 32, 32), ("airplane", "automobile"))
    assert (len(data.train), len(data.validation), len(data.test)) == (540, 60, 200)
    assert np.bincount(data.test.labels).tolist() == [20] * 10
    file = shared_data / "image_folders" / "cifar10_jpg" / "test" / "airplane" / "0000.jpg"
    with Image.open(file) as image:
        assert np.array_equal(data.test.images[0].transpose(1, 2, 0), np.asarray(image.convert("RGB")))


def test_classes_and_images_come_in_natural_order(tmp_path: Path) -> None:
    data = open_dataset(fill(tmp_path, {"10": 2, "9": 12, "B": 2, "a": 2}), split=NO_VALIDATION)
    assert data.classes == ("9", "10", "a", "B")
    assert data.train.images[:12, 0, 0, 0].tolist() == list(range(12))  # "10.png" after "9.png"


@pytest.mark.parametrize(("train", "val", "test"), [("train", "val", "test"), ("Training", "validation", "Testing")])
def test_published_parts_stay_apart(tmp_path: Path, train: str, val: str, test: str) -> None:
    fill(tmp_path / train, {"a": 3, "b": 3})
    fill(tmp_path / val, {"b": 2}, base=100)
    fill(tmp_path / test, {"a": 1, "b": 1}, base=200)
    data = open_dataset(tmp_path)
    assert data.test is not None
    assert (len(data.train), data.validation.labels.tolist(), data.test.labels.tolist()) == (6, [1, 1], [0, 1])
    assert data.validation.images[:, 0, 0, 0].tolist() == [100, 101]


def test_hidden_and_other_files_are_no_images(tmp_path: Path) -> None:
    fill(tmp_path, {"a": 2, "b": 2})
    for name in ("a/.DS_Store", "a/notes.txt", "b/Thumbs.db", "readme.md"):
        (tmp_path / name).write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    assert len(open_dataset(tmp_path, split=NO_VALIDATION).train) == 4


def test_one_colour_image_makes_the_whole_set_colour(tmp_path: Path) -> None:
    fill(tmp_path, {"a": 2, "b": 1})
    colour = np.zeros((6, 4, 3), np.uint8)
    colour[..., 1] = 200
    save(tmp_path / "b" / "colour.png", colour)
    data = open_dataset(tmp_path, split=NO_VALIDATION)
    assert data.shape == (3, 6, 4)
    assert data.train.images[1, :, 0, 0].tolist() == [1, 1, 1]
    assert data.train.images[3, :, 0, 0].tolist() == [0, 200, 0]


def test_every_colour_mode_of_png_has_its_right_values(tmp_path: Path) -> None:
    fill(tmp_path, {"a": 2})
    ramp = np.arange(24, dtype=np.uint8).reshape(6, 4) * 10
    clear = np.dstack([ramp, ramp, ramp, np.where(ramp < 100, 0, 255).astype(np.uint8)])
    save(tmp_path / "b" / "1.png", Image.fromarray(ramp.astype(np.uint16) * 256 + 77))  # 16 bits
    save(tmp_path / "b" / "2.png", Image.fromarray(ramp).convert("P"))
    save(tmp_path / "b" / "3.png", Image.fromarray(ramp > 100))  # 1 bit
    save(tmp_path / "b" / "4.png", clear)
    data = open_dataset(tmp_path, split=NO_VALIDATION)
    deep, palette, bit, transparent = data.train.images[2:, 0]
    assert np.array_equal(deep, ramp)
    assert np.array_equal(palette, ramp)
    assert np.array_equal(bit, np.where(ramp > 100, 255, 0))
    assert np.array_equal(transparent, np.where(ramp < 100, 255, ramp))


def test_a_photo_taken_with_a_turned_camera_is_turned_upright(tmp_path: Path) -> None:
    fill(tmp_path, {"a": 2, "b": 1})
    lying = Image.fromarray(np.vstack([grey(255, 2, 6), grey(0, 2, 6)]))
    orientation = Image.Exif()
    orientation[0x0112] = 6  # the camera was turned to the left: show it turned to the right
    lying.save(tmp_path / "b" / "turned.jpg", exif=orientation, quality=100)
    turned = open_dataset(tmp_path, split=NO_VALIDATION).train.images[3, 0]
    assert turned.shape == (6, 4)
    assert turned[:, 2:].min() > 200 and turned[:, :2].max() < 50


def test_images_of_different_sizes_name_the_file_and_the_fix_works(tmp_path: Path, refused: Refused) -> None:
    fill(tmp_path, {"a": 2, "b": 2})
    odd = save(tmp_path / "b" / "odd.png", grey(9, 7, 9))
    error = refused(tmp_path, "data.image_size", str(odd), "7 × 9 pixels", "6 × 4", "resize = 6 × 4")
    assert error.fixes[0].field == "resize"
    data = open_dataset(tmp_path, reading=ReadOptions(resize=error.fixes[0].value), split=NO_VALIDATION)
    assert data.shape == (1, 6, 4)
    assert (data.train.images[4] == 9).all()


def test_an_unreadable_image_is_named(tmp_path: Path, refused: Refused) -> None:
    fill(tmp_path, {"a": 2, "b": 2})
    bad = tmp_path / "b" / "7.png"
    for content in (b"", b"hello", (tmp_path / "a" / "0.png").read_bytes()[:45], b"GIF89a" + bytes(50)):
        bad.write_bytes(content)
        refused(tmp_path, "data.image", str(bad), "no readable PNG or JPEG image", "Replace or remove the file")


def test_a_class_with_a_single_image_is_named(tmp_path: Path, refused: Refused) -> None:
    fill(tmp_path, {"cat": 5, "owl": 1})
    refused(tmp_path, "data.class_too_small", "Class 'owl' has 1 of at least 2 images", "Add images of this class")
    assert len(open_dataset(tmp_path, split=NO_VALIDATION).train) == 6


def test_folders_without_a_recognisable_set(tmp_path: Path, refused: Refused) -> None:
    refused(tmp_path, "data.no_class_folders", "there are no images here")
    save(tmp_path / "loose.png", grey(1))
    refused(tmp_path, "data.no_class_folders", "the images lie in one folder. Make one folder for each class")
    fill(tmp_path / "all", {"a": 2, "b": 2})
    refused(tmp_path, "data.one_class", "only one class folder, 'all'", f"Open {tmp_path / 'all'}")
    (tmp_path / "all" / "c").mkdir()
    refused(tmp_path / "all", "data.empty", str(tmp_path / "all" / "c"), "no PNG or JPEG image")


def test_a_folder_too_high_up_says_so(tmp_path: Path, refused: Refused) -> None:
    fill(tmp_path / "digits", {"a": 2, "b": 2})
    fill(tmp_path / "photos", {"a": 2, "b": 2})
    refused(tmp_path, "data.no_class_folders", "none of its folders (digits, photos) holds", "directly above the class")


def test_a_test_class_without_training_images_is_named(tmp_path: Path, refused: Refused) -> None:
    fill(tmp_path / "train", {"a": 2, "b": 2})
    fill(tmp_path / "test", {"a": 2, "d": 2})
    refused(tmp_path, "data.label_unknown", "no class 'd' among the training images", "a, b")


def test_too_large_a_set_stops_before_the_memory_is_full(
    tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, {"a": 2, "b": 2})
    monkeypatch.setattr("engine.datasets.files.MAX_BYTES", 3 * 6 * 4)
    refused(tmp_path, "data.too_large", str(tmp_path / "b" / "1.png"), "fewer or smaller images")
