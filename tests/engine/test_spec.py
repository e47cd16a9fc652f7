"""How a spec crosses to another process."""

from __future__ import annotations

import pickle

from tests.engine.networks import lenet5


def test_equal_specs_come_out_of_their_pickles_as_one_object() -> None:
    spec = lenet5()
    first, second = (pickle.loads(pickle.dumps(one, 5)) for one in (spec, lenet5()))
    assert first == spec and first is second and first.placed() is second.placed()


def test_a_changed_spec_comes_out_of_its_pickle_changed() -> None:
    spec = lenet5()
    pickle.dumps(spec)
    last = spec.nodes[-1].id
    shorter = pickle.loads(pickle.dumps(spec.remove(last), 5))
    assert shorter == spec.remove(last) and shorter != spec
