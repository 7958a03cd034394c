"""Perceptrons, against truth tables; M. Nielsen, Neural Networks and Deep Learning, chapter 1."""

from __future__ import annotations

import numpy as np

import portanet
from tests.gallery.pages import load

page = load("foundations/perceptron")


def test_gates_make_a_half_adder() -> None:
    with portanet.use_backend("numpy"):
        total, carry = page.half_adder(page.nand(), portanet.asarray(page.BITS))
    assert total.tolist() == [[0.0], [1.0], [1.0], [0.0]]
    assert carry.tolist() == [[0.0], [0.0], [0.0], [1.0]]


def test_the_rule_learns_what_a_line_separates_alone() -> None:
    with portanet.use_backend("numpy"):
        for target in (page.BITS.min(axis=1), page.BITS.max(axis=1)):
            gate, mistakes = page.learned(target)
            assert mistakes[-1] == 0
            assert portanet.to_host(gate(portanet.asarray(page.BITS)))[:, 0].tolist() == target.tolist()
        assert min(page.learned(page.BITS.sum(axis=1) % 2)[1]) > 0


def test_sigmoid_neurons_become_perceptrons() -> None:
    with portanet.use_backend("numpy"):
        bits = np.asarray([[0, 0], [1, 0], [1, 0], [0, 1]])
        distances = [np.abs(page.sigmoid_half_adder(c) - bits).max() for c in (1, 2, 4, 8)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-3


def test_four_bits_in_place_of_ten_outputs() -> None:
    with portanet.use_backend("numpy"):
        found, bits = page.bits_of_digits()
    assert [int("".join(str(int(b)) for b in row[::-1]), 2) for row in bits] == list(range(10))
    np.testing.assert_allclose(found, bits, atol=0.01)
