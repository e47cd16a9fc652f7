"""Curves as files: CSV text, pictures, SVG."""

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QRect
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QGraphicsView, QMenu, QMessageBox, QWidget

from cnnstudio.theme import current_theme
from cnnstudio.widgets.curve_series import CurveSeries


def curves_csv(curves: Iterable[tuple[str, CurveSeries]]) -> str:
    """All points as CSV with the columns series, step and value."""
    rows = ["series,step,value"]
    for name, data in curves:
        rows += [f"{name},{x:g},{y!r}" for x, y in zip(data.x.tolist(), data.y.tolist(), strict=True)]
    return "\n".join(rows) + "\n"


def chart_image(chart: QGraphicsView, scale: float) -> QImage:
    """A chart as an image of `scale` pixels a logical pixel."""
    image = QImage(chart.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(current_theme().color("surface"))
    painter = QPainter(image)
    chart.render(painter)
    painter.end()
    return image


def save_chart_svg(chart: QGraphicsView, path: str) -> None:
    """Write a chart as SVG; OSError if the file cannot be written."""
    with open(path, "wb"):  # QSvgGenerator would fail without a word
        pass
    generator = QSvgGenerator()
    generator.setFileName(path)
    generator.setSize(chart.size())
    generator.setViewBox(QRect(0, 0, chart.width(), chart.height()))
    painter = QPainter(generator)
    chart.render(painter)
    painter.end()


def chart_menu(parent: QWidget, chart: QGraphicsView, values: Callable[[], str]) -> QMenu:
    """A menu to copy a chart or its values, and to save it as PNG, SVG or CSV."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("Charts", text)

    def save() -> None:
        kinds = ";;".join((tr("PNG picture (*.png)"), tr("SVG picture (*.svg)"), tr("Values (*.csv)")))
        name, kind = QFileDialog.getSaveFileName(parent, tr("Save chart"), "curves.png", kinds)
        if name:
            try:
                save_chart(chart, values(), Path(name), kind)
            except OSError as error:
                QMessageBox.warning(parent, tr("Save chart"), str(error))

    menu, clipboard = QMenu(parent), QGuiApplication.clipboard()
    menu.addAction(tr("Copy picture"), lambda: clipboard.setImage(chart_image(chart, 2.0)))
    menu.addAction(tr("Copy values (CSV)"), lambda: clipboard.setText(values()))
    menu.addAction(tr("Save PNG, SVG or CSV…"), save)
    return menu


def save_chart(chart: QGraphicsView, values: str, path: Path, kind: str = "") -> None:
    """Write a chart as the suffix of the path says (else as `kind` contains it); OSError if that fails."""
    if not path.suffix:
        path = path.with_suffix(next((s for s in (".svg", ".csv") if s in kind), ".png"))
    if path.suffix.lower() == ".csv":
        path.write_text(values, encoding="utf-8")
    elif path.suffix.lower() == ".svg":
        save_chart_svg(chart, str(path))
    elif not chart_image(chart, 2.0).save(str(path)):
        raise OSError(f"{path} could not be written")
