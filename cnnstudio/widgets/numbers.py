"""How numbers are written on screen: fixed digits, true minus signs, thousands, units, and times."""

import math
import re
import time

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

MINUS = "\u2212"
_DAY = 24 * 60 * 60


def format_value(value: float, digits: int = 4, *, sign: bool = False) -> str:
    """A value with `digits` significant digits: "0.3170", "−11.86", "1.200e−07"; "nan" and "∞" as such."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return _signed("∞", value, sign)
    size = abs(value)
    if size == 0:
        return _signed("0", 0.0, False)
    scientific = f"{size:.{digits - 1}e}"
    exponent = int(scientific.partition("e")[2])
    fixed = -4 <= exponent < max(digits, 6)
    return _signed(f"{size:.{max(digits - 1 - exponent, 0)}f}" if fixed else scientific.replace("-", MINUS), value, sign)


def unbroken(text: str) -> str:
    """A text for a label that breaks lines: no number is cut off from the word in front of it."""
    return re.sub(r" (?=[−\d])", "\N{NO-BREAK SPACE}", text)


def closed_up(text: str) -> str:
    """A text put together from words: Chinese has spaces beside letters and digits, but none inside Chinese text."""
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])", "", text)


def format_fixed(value: float, decimals: int = 2, *, sign: bool = False) -> str:
    """A value with a fixed number of decimals, as in a matrix: "0.75", "−0.42"; never "−0.00"."""
    if not math.isfinite(value):
        return format_value(value, sign=sign)
    text = f"{abs(value):.{decimals}f}"
    return _signed(text, value if float(text) else 0.0, sign)


def _signed(text: str, value: float, sign: bool) -> str:
    if value < 0:
        return MINUS + text
    return "+" + text if sign and value > 0 else text


def parse_number(text: str) -> float:
    """The number a person typed or this module wrote, with either minus sign; ValueError if it is none."""
    plain = text.strip().replace(MINUS, "-").replace("∞", "inf")
    if "_" in plain:  # Python's float() would take it
        raise ValueError(f"not a number: {text!r}")
    return float(plain)


def format_count(value: int) -> str:
    """A whole number with thousands separators: "61,706"."""
    return f"{value:,}".replace("-", MINUS)


def format_short(value: float) -> str:
    """A large number in three digits and a letter: "842", "37.1 k", "0.39 M", "1.25 G"."""
    size = abs(value)
    for limit, scale, letter in ((1e8, 1e9, "G"), (1e5, 1e6, "M"), (1e3, 1e3, "k")):
        if size >= limit:
            scaled = size / scale
            text = f"{scaled:.2f}" if scaled < 10 else f"{scaled:.1f}" if scaled < 100 else f"{scaled:.0f}"
            return _signed(f"{text} {letter}", value, False)
    return _signed(f"{size:g}" if size == int(size) else f"{size:.3g}", value, False)


def format_bytes(count: int) -> str:
    """A size in bytes with binary prefixes: "640 B", "1.5 KiB", "37.2 MiB"."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"


def format_percent(fraction: float, decimals: int = 1) -> str:
    """A fraction 0..1 as a percentage with a fixed number of decimals: "97.9 %"."""
    return "nan" if math.isnan(fraction) else f"{format_fixed(100.0 * fraction, decimals)} %"


def format_duration(seconds: float) -> str:
    """A time as clock digits: "0:07", "1:05", "2:03:09"; a dash when it is not known."""
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def format_time_left(seconds: float) -> str:
    """A remaining time in words of the chosen language: "1:05 left"."""
    return QCoreApplication.translate("Numbers", "{time} left").format(time=format_duration(seconds))


def format_rate(per_second: float) -> str:
    """A speed in words of the chosen language: "9,800 images/s"."""
    text = QCoreApplication.translate("Numbers", "{count} images/s")
    return text.format(count=format_count(round(per_second)))


def format_shape(shape: tuple[int, ...]) -> str:
    """A shape with multiplication signs: "28×28×1"."""
    return "×".join(str(n) for n in shape)


def matrix_decimals(values: NDArray[np.generic]) -> int:
    """The decimals that give the largest number of a matrix three digits: 0 for whole numbers, up to 6."""
    finite = values[np.isfinite(values)]
    if not finite.size or (finite == np.round(finite)).all():
        return 0
    largest = float(np.abs(finite).max())
    return min(max(2 - math.floor(math.log10(largest)), 1), 6) if largest < 1 else 2


def format_moment(moment: float) -> str:
    """A time in seconds since 1970: the time of day, and the date when that was not within the last day."""
    then, locale = QDateTime.fromSecsSinceEpoch(int(moment)), QLocale()
    clock = locale.toString(then.time(), QLocale.FormatType.ShortFormat)
    if time.time() - moment < _DAY:
        return clock
    return f"{locale.toString(then.date(), QLocale.FormatType.ShortFormat)} {clock}"
