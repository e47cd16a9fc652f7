"""Weights from outside: named arrays, for example of an .npz file, into a network of the same shapes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np

from engine.errors import Fix, StorageError
from engine.layer import Array
from engine.network import Network


def load_weights(network: Network, arrays: Mapping[str, Array]) -> None:
    """Set every parameter ("conv1.W") from `arrays`; changes nothing when one is missing, unknown, misshapen or not finite."""
    for name in arrays:
        if name not in network.parameters.named:
            raise _unknown(network, name)
    for name, parameter in network.parameters.named.items():
        _check(network, name, parameter, arrays.get(name))
    for name, parameter in network.parameters.named.items():
        parameter[...] = arrays[name]


def _check(network: Network, name: str, parameter: Array, given: Array | None) -> None:
    if given is None:
        raise _error(network, name, "the weights have no {name}.", "weights.missing",
                     Fix("advice", "take weights that were saved from this network"))
    if given.shape != parameter.shape:
        raise _misshapen(network, name, parameter.shape, given.shape)
    if not np.issubdtype(given.dtype, np.number) or not np.isfinite(given).all():
        raise _error(network, name, "{name} holds something that is not a finite number.", "weights.not_finite",
                     Fix("advice", "save the weights anew from a training that did not break off"))


def _misshapen(network: Network, name: str, wanted: tuple[int, ...], found: tuple[int, ...]) -> StorageError:
    """Says which size differs; for the kernels of a convolution, whether it is depth, channels, height or width."""
    places = ("depth", "channels", "height", "width") if len(wanted) == 4 else ("units", "inputs")
    fix = Fix("advice", "take weights that were saved from this network")
    if len(found) == len(wanted) and len(wanted) in (2, 4):
        which = next(i for i, (a, b) in enumerate(zip(wanted, found, strict=True)) if a != b)
        options = {"depth": "depth", "units": "units"}
        if places[which] in options:
            fix = Fix("set", "set its {option} to {found}", {"option": options[places[which]], "found": found[which]},
                      field=options[places[which]], value=found[which])
        elif places[which] == "channels" and network.spec.index(name.rsplit(".", 1)[0]) == 1:
            fix = Fix("set", "give the Input block {found} channels", {"found": found[which]}, layer=network.spec.nodes[0].id,
                      field="channels", value=found[which])
        detail = f" The {places[which]} differ: {found[which]} instead of {wanted[which]}."
    else:
        detail = ""
    return _error(network, name, "{name} is {wanted} here, but {found} in the weights." + detail, "weights.shape", fix,
                  wanted="×".join(map(str, wanted)), found="×".join(map(str, found)))


def _unknown(network: Network, name: str) -> StorageError:
    near = difflib.get_close_matches(name, network.parameters.named, 1)
    fixes = (Fix("advice", "name it {near}", {"near": near[0]}),) if near else ()
    return StorageError("The network has no parameter {name}; it has {names}.", code="weights.unknown", fixes=fixes, name=name,
                        names=", ".join(network.parameters.named))


def _error(network: Network, name: str, template: str, code: str, fix: Fix, **args: str) -> StorageError:
    layer = name.rsplit(".", 1)[0]
    return StorageError(template, code=code, layer=network.spec[layer].title, position=network.spec.index(layer), fixes=(fix,),
                        name=name, **args)
