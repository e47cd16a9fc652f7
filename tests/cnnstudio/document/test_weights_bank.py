"""Weights carry over by block, parameter and shape, and come back when an edit is undone."""

from __future__ import annotations

import numpy as np

from cnnstudio.document.weights_bank import WeightsBank, carry_over


def test_only_arrays_of_the_same_name_and_shape_carry_over() -> None:
    old = {"conv1.W": np.ones((4, 1, 3, 3)), "conv1.b": np.ones(4), "dense1.W": np.ones((10, 5))}
    kept, fresh = carry_over(old, {"conv1.W": (4, 1, 3, 3), "dense1.W": (10, 6), "dense2.b": (3,)})
    assert list(kept) == ["conv1.W"] and fresh == ["dense1.W", "dense2.b"]


def test_an_undone_edit_brings_the_trained_weights_back() -> None:
    bank = WeightsBank()
    trained = np.arange(6.0).reshape(2, 3)
    bank.deposit({"dense1.W": trained})
    kept, fresh = bank.withdraw({"dense1.W": (4, 3)})
    assert not kept and fresh == ["dense1.W"]
    bank.deposit({"dense1.W": np.zeros((4, 3))})
    kept, fresh = bank.withdraw({"dense1.W": (2, 3)})
    assert np.array_equal(kept["dense1.W"], trained) and not fresh


def test_the_bank_copies_in_and_out() -> None:
    bank, array = WeightsBank(), np.ones(3)
    bank.deposit({"a.b": array})
    array[:] = 7
    first, _ = bank.withdraw({"a.b": (3,)})
    first["a.b"][:] = 9
    second, _ = bank.withdraw({"a.b": (3,)})
    assert second["a.b"].tolist() == [1, 1, 1]


def test_the_latest_array_of_a_shape_wins() -> None:
    bank = WeightsBank()
    bank.deposit({"a.b": np.zeros(2)})
    bank.deposit({"a.b": np.ones(2)})
    assert bank.withdraw({"a.b": (2,)})[0]["a.b"].tolist() == [1, 1]


def test_the_oldest_arrays_are_forgotten_beyond_the_limit() -> None:
    bank = WeightsBank(limit=100)
    for i in range(5):
        bank.deposit({f"a{i}.W": np.zeros(5)})  # 40 bytes each
    assert bank.withdraw({f"a{i}.W": (5,) for i in range(5)})[1] == ["a0.W", "a1.W", "a2.W"]


def test_after_a_reset_nothing_is_remembered() -> None:
    bank = WeightsBank()
    bank.deposit({"a.b": np.zeros(2)})
    bank.clear()
    assert bank.withdraw({"a.b": (2,)})[1] == ["a.b"]
