"""Input: raw pixel values become numbers that a network learns from easily.

    u[n, c, i, j] = (x[n, c, i, j] − offset[c, i, j]) · gain[c, i, j]     scaling, mean removal, normalisation
    z[n, k]       = amplitude[k] · Σ_p axes[k, p] · u[n, p]               PCA; p runs over all c, i, j
    y[n, p]       = Σ_k axes[k, p] · z[n, k]                              ZCA turns z back into an image

    x   raw images (N, C, H, W)                   axes        principal axes, a unit vector each (K, C·H·W)
    u   images whose features have a like range   amplitude   1, or 1/√(λ + ε) when whitening (K,)
    y   u, z or the ZCA image                     λ           variance of the images along an axis

The steps, each of which may be left out, in order: (1) scaling brings the range of the pixel values, say
0..255, to 0..1; (2) mean removal centres every feature, or every channel, on 0; (3) normalisation brings all
features to the same range, by dividing by max − min or by the standard deviation; (4) PCA keeps the few
directions in which the images vary most, and whitening gives all of them the same amplitude. After PCA there
is no picture any more, only a vector of K numbers; ZCA whitening gives a picture.

All statistics come from the training images alone (`fit`) and are saved with the network; `invert` leads
back to pixel values.

Backward, with δ = ∂E/∂y, for pictures of what the network looks at:

    ∂E/∂x[n, p] = gain[p] · δ[n, p]                                        without PCA
    ∂E/∂x[n, p] = gain[p] · Σ_k axes[k, p] · amplitude[k] · δ[n, k]        through PCA

How it is made fast: steps 1 to 3 are one subtraction and one product with arrays computed beforehand; step 4
is one matrix product.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, section 1.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import DataError, Fix, ShapeError
from engine.layer import Array, Buffer, Context, Layer, Param, Shape, Workspace
from engine.options import option
from engine.phrase import Phrase
from engine.term import Term, lazy
from engine.view import Cells, View

LARGEST_PROJECTION = 4096
"""Features that a PCA may have; its covariance has this number squared of cells."""


@dataclass(frozen=True)
class Input(Layer):
    """y = (x − offset)·gain, then PCA; shapes: x (N, C, H, W) -> y (N, C, H, W), after PCA (N, components).

    `normalise` "minmax" divides by max − min of each feature: with `mean` "none" to 0..1, otherwise around
    0. "deviation" divides by √(variance + ε), of each channel when `mean` is "channel" and of each feature
    otherwise. A feature that never changes is not divided. A projection always removes the mean of each
    feature. Variances divide by the number of images.
    """

    kind = "input"
    title = "Input"
    role = "input"
    summary = "Prepares the images: scaling, mean removal, normalisation, PCA."

    channels: int = option(1, ge=1, label="Channels", help="1 for grey images, 3 for colour images.")
    height: int = option(28, ge=1, label="Height", help="Rows of an image.", unit="px")
    width: int = option(28, ge=1, label="Width", help="Columns of an image.", unit="px")
    scaling: str = option(
        "unit", choices=("none", "unit"), label="Scaling",
        help="unit: the range of the pixel values, such as 0..255, becomes 0..1.")
    mean: str = option(
        "none", choices=("none", "feature", "channel"), label="Mean removal",
        help="Centres every feature (each pixel of each channel), or every channel as a whole, on 0.")
    normalise: str = option(
        "none", choices=("none", "minmax", "deviation"), label="Normalisation",
        help="minmax: divides every feature by its range. deviation: gives it unit variance.")
    projection: str = option(
        "none", choices=("none", "pca", "pca_whitening", "zca_whitening"), label="PCA and whitening",
        help="pca keeps the directions of most variance; whitening gives them the same amplitude; "
             "zca turns the result back into an image.")
    components: int = option(
        0, ge=0, label="Components", help="How many principal axes PCA keeps; 0 keeps all.")
    epsilon: float = option(
        1e-5, ge=0, label="ε",
        help="Added to a variance before dividing by its root, so that faint directions are not blown up.")

    @property
    def image_shape(self) -> Shape:
        """The shape of one raw image: (channels, height, width)."""
        return Shape((self.channels, self.height, self.width))

    @property
    def _kept(self) -> int:
        """How many principal axes are kept."""
        return self.components or self.image_shape.size

    def output_shape(self, x: Shape) -> Shape:
        image = self.image_shape
        if self.projection == "none":
            return image
        if image.size > LARGEST_PROJECTION:
            raise ShapeError(
                "PCA of {image} = {size} features needs a {size} × {size} matrix. "
                "At most {most} features are possible.",
                code="input.projection_too_large", field="projection",
                fixes=(Fix("set", "use no PCA", field="projection", value="none"),),
                image=str(image), size=image.size, most=LARGEST_PROJECTION)
        if self.components > image.size:
            raise ShapeError(
                "PCA cannot keep {components} components. An image of {image} has {size} features.",
                code="input.components", field="components",
                fixes=(Fix("set", "keep {size}", {"size": image.size}, field="components",
                           value=image.size),),
                components=self.components, image=str(image), size=image.size)
        return image if self.projection == "zca_whitening" else Shape((self._kept,))

    def state(self, x: Shape) -> dict[str, Param]:
        state = {"offset": Param(self.image_shape), "gain": Param(self.image_shape, value=1.0)}
        if self.projection != "none":
            state["axes"] = Param((self._kept, self.image_shape.size), init="identity")
            state["amplitude"] = Param((self._kept,), value=1.0)
        return state

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        if self.projection == "none":
            return {}
        size = self.image_shape.size
        return {"even": Buffer((n, size), scratch=True), "z": Buffer((n, self._kept), scratch=True)}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        # The backward pass sees no state, so the workspace keeps a reference to it.
        ws.update(ctx.state)
        even = y if self.projection == "none" else ws["even"].reshape(x.shape)
        np.subtract(x, ws["offset"], out=even)
        even *= ws["gain"]
        if self.projection != "none":
            self._project(ws["even"], y.reshape(len(y), -1), ws)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is None:
            return
        delta, of_features = dy.reshape(len(dy), -1), dx.reshape(len(dx), -1)
        if self.projection == "none":
            of_features[...] = delta
        elif self.projection == "zca_whitening":  # axesᵀ · diag(amplitude) · axes is its own transpose
            self._project(delta, of_features, ws)
        else:
            np.multiply(delta, ws["amplitude"], out=ws["z"])
            np.matmul(ws["z"], ws["axes"], out=of_features)
        dx *= ws["gain"]

    def _project(self, rows: Array, out: Array, ws: Workspace) -> None:
        """Rows of features become amplitudes along the axes, and with ZCA features again."""
        z = ws["z"] if self.projection == "zca_whitening" else out
        np.matmul(rows, ws["axes"].T, out=z)
        z *= ws["amplitude"]
        if self.projection == "zca_whitening":
            np.matmul(z, ws["axes"], out=out)

    def fit(self, images: Array, value_range: tuple[float, float]) -> dict[str, Array]:
        """The state for the training images (N, C, H, W), whose pixel values lie in `value_range`.

        The images are read in pieces and summed in float64, so that the memory needed does not grow with
        their number. Raises DataError when there are none, their shape is another one or the range is empty.
        """
        if images.shape[1:] != self.image_shape:
            raise DataError("The images are {found}, but Input expects {image}.", code="input.images",
                            found=str(Shape(images.shape[1:])), image=str(self.image_shape))
        if not len(images):
            raise DataError("There are no training images to prepare the input from.", code="input.no_images")
        low, high = value_range if self.scaling == "unit" else (0.0, 1.0)
        if not low < high:
            raise DataError("Pixel values from {low} to {high} cannot be scaled to 0..1.", code="input.range",
                            low=f"{low:g}", high=f"{high:g}")
        offset = np.full(self.image_shape, float(low))
        gain = np.full(self.image_shape, 1 / (high - low))
        mean = self.mean if self.projection == "none" else "feature"
        if mean != "none" or self.normalise == "deviation":
            of_features = _mean(images)
            of_channels = _by_channel(of_features)
            if mean != "none":
                offset = of_channels if mean == "channel" else of_features
            if self.normalise == "deviation" and self.mean == "channel":
                gain *= self._deviation_gain(_by_channel(_mean(images, of_channels)) * gain**2)
            elif self.normalise == "deviation":
                gain *= self._deviation_gain(_mean(images, of_features) * gain**2)
        if self.normalise == "minmax":
            lowest = images.min(axis=0).astype(float)
            gain = _inverse(images.max(axis=0) - lowest, gain)
            offset = lowest if mean == "none" else offset
        state = {"offset": offset, "gain": gain}
        return state if self.projection == "none" else state | self._fit_axes(images, offset, gain)

    def _deviation_gain(self, variance: Array) -> Array:
        """1 / √(variance + ε), and 1 where the variance is 0."""
        return _inverse(np.where(variance > 0, np.sqrt(variance + self.epsilon), 0), np.ones_like(variance))

    def _fit_axes(self, images: Array, offset: Array, gain: Array) -> dict[str, Array]:
        """The eigenvectors of the covariance with the largest eigenvalues, and the amplitude of each."""
        covariance = np.zeros((self.image_shape.size, self.image_shape.size))
        for chunk in _chunks(images):
            rows = ((chunk - offset) * gain).reshape(len(chunk), -1)
            covariance += rows.T @ rows
        eigenvalues, eigenvectors = np.linalg.eigh(covariance / len(images))
        variances = eigenvalues[::-1][:self._kept]
        axes = np.ascontiguousarray(eigenvectors.T[::-1][:self._kept])
        # The sign of an eigenvector is arbitrary; here its cell of largest size is positive.
        axes *= np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=1, keepdims=True), axis=1))
        if self.projection == "pca":
            return {"axes": axes, "amplitude": np.ones(self._kept)}
        # Where the variance is 0, rounding leaves tiny numbers of either sign.
        variances = np.where(variances > 1e-12 * variances[0], variances, 0)
        return {"axes": axes, "amplitude": _inverse(np.sqrt(variances + self.epsilon), np.zeros(self._kept))}

    def invert(self, y: Array, state: Mapping[str, Array]) -> Array:
        """Raw images (N, C, H, W) from outputs; after PCA, the nearest images that the kept axes express."""
        rows = y.reshape(len(y), -1)
        if self.projection != "none":
            axes, amplitude = state["axes"], state["amplitude"]
            z = rows @ axes.T if self.projection == "zca_whitening" else rows
            rows = (z * _inverse(amplitude, np.zeros_like(amplitude))) @ axes
        images: Array = rows.reshape(-1, *self.image_shape) / state["gain"] + state["offset"]
        return images

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        image = cell[:len(cell) - len(view.y_shape)]
        if self.projection == "none":
            return self._even(view.cell("x", *cell), view)
        pixels = self._features("x", image, view)
        offset, gain = (view.array(name).ravel().astype(np.float64) for name in ("offset", "gain"))
        even = (pixels.numbers - offset) * gain
        return self._projected(cell[len(image):], even, lambda: [self._even(x, view) for x in pixels.terms()], view)

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        place = cell[-3:]
        image, gain = cell[:-3], view.cell("gain", *place, label="gain")
        if self.projection == "none":
            return view.cell("dy", *cell) * gain
        if self.projection == "zca_whitening":
            delta = self._features("dy", image, view)
            return gain * self._projected(place, delta.numbers, delta.terms, view)
        k = np.arange(self._kept)
        axes = view.cells("axes", k, self._feature(place))
        amplitude, delta = view.cells("amplitude", k), view.cells("dy", *image, k)
        return gain * lazy("sum", (axes.numbers * amplitude.numbers) @ delta.numbers, lambda: [
            a * b * d for a, b, d in zip(axes.terms(), amplitude.terms(), delta.terms(), strict=True)])

    def _even(self, x: Term, view: View) -> Term:
        """u = (x − offset) · gain of one pixel."""
        place = x.place[-3:]
        return (x - view.cell("offset", *place, label="offset")) * view.cell("gain", *place, label="gain")

    def _features(self, name: str, image: tuple[int, ...], view: View) -> Cells:
        """All features of one image, channel by channel, row by row."""
        return view.cells(name, *image, *np.ix_(*map(range, self.image_shape)))

    def _feature(self, place: tuple[int, ...]) -> int:
        """The number of a feature: its place in the flattened image."""
        return int(np.ravel_multi_index(place, self.image_shape))

    def _projected(self, place: tuple[int, ...], numbers: Array, features: Callable[[], list[Term]], view: View) -> Term:
        """z[k], or after ZCA Σ_k axes[k, p] · z[k], of features given as numbers and as terms."""
        if self.projection != "zca_whitening":
            return self._amplitude(place[0], numbers, features, view)
        p = self._feature(place)
        axes, amplitude = (view.array(name).astype(np.float64) for name in ("axes", "amplitude"))
        return lazy("sum", axes[:, p] @ (amplitude * (axes @ numbers)), lambda: [
            view.cell("axes", k, p) * self._amplitude(k, numbers, features, view).named("z") for k in range(self._kept)])

    def _amplitude(self, k: int, numbers: Array, features: Callable[[], list[Term]], view: View) -> Term:
        """z[k] = amplitude[k] · Σ_p axes[k, p] · u[p]."""
        axis = view.cells("axes", k, np.arange(self.image_shape.size))
        return view.cell("amplitude", k, label="amplitude") * lazy("sum", axis.numbers @ numbers, lambda: [
            a * u for a, u in zip(axis.terms(), features(), strict=True)])

    def code_numpy(self, x: Shape) -> str:
        lines = ["y = (x - offset) * gain"]
        if self.projection != "none":
            lines.append("y = (y.reshape(len(x), -1) @ axes.T) * amplitude")
        if self.projection == "zca_whitening":
            lines.append("y = (y @ axes).reshape(x.shape)")
        return "\n".join(lines)

    def code_pytorch(self, x: Shape) -> str:
        return self.code_numpy(x)

    def caption(self) -> list[Phrase]:
        parts = [Phrase(str(self.image_shape))]
        if self.projection != "none":
            name = {"pca": "PCA", "pca_whitening": "PCA whitening", "zca_whitening": "ZCA"}[self.projection]
            parts.append(Phrase(f"{name} {{components}}", {"components": self.components}) if self.components else Phrase(name))
        return parts

    def macs(self, x: Shape) -> int:
        products = {"none": 0, "pca": 1, "pca_whitening": 1, "zca_whitening": 2}[self.projection]
        return products * self._kept * self.image_shape.size


def _chunks(images: Array) -> Iterator[Array]:
    """The images in float64, some 16 MB at a time."""
    step = max(1, 2**21 // images[0].size)
    for start in range(0, len(images), step):
        yield images[start:start + step].astype(np.float64)


def _mean(images: Array, centre: Array | None = None) -> Array:
    """The mean of each feature, or with `centre` the mean of its squared distance from there: (C, H, W)."""
    total = np.zeros(images.shape[1:])
    for chunk in _chunks(images):
        if centre is not None:
            chunk -= centre
            chunk *= chunk
        total += chunk.sum(axis=0)
    return total / len(images)


def _by_channel(features: Array) -> Array:
    """Every feature replaced by the mean over its channel."""
    return np.broadcast_to(features.mean(axis=(1, 2), keepdims=True), features.shape).copy()


def _inverse(a: Array, instead: Array) -> Array:
    """1 / a, and the value of `instead` where a is 0."""
    return np.divide(1, a, out=instead.copy(), where=a != 0)
