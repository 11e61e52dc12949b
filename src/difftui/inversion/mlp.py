"""The network of the sine inversion with its backpropagation written out, in NumPy.

Why not torch: these layers have 3 to 16 units, so a step is all overhead. NumPy takes about a seventh of the
time of autograd with fused Adam, and needs no thread pool: on two busy cores torch, splitting each tiny
product between two threads, took 50 times as long as on one. It also works before torch has loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = ["Adam", "InverseMLP"]

Floats = NDArray[np.float64]


class InverseMLP:
    """Fully connected 1 → hidden layers → 1: h ← f(h W + b), the last layer without f.

    Weights start uniform in ±√(6 / (in + out)) and biases at 0, as Keras starts them and so as the lab did
    (Glorot & Bengio 2010, eq. 16). It matters: about one 1-3-3-1 in six is dead after it.

    Attributes:
        parameters: all weights and biases in one float64 array (P,), layer by layer: W (in, out) row by row,
            then b (out,). The layers are views of it, so changing it in place changes the network.
    """

    def __init__(self, hidden_layers: tuple[int, ...], activation: str, rng: np.random.Generator) -> None:
        """Draw the weights from ``rng``.

        Raises:
            ValueError: an unknown activation, or a layer without units.
        """
        if activation not in _ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; known: {', '.join(_ACTIVATIONS)}")
        if any(units < 1 for units in hidden_layers):
            raise ValueError(f"every hidden layer needs at least 1 unit, not {hidden_layers!r}")
        self.activation = activation
        self._function, self._derivative = _ACTIVATIONS[activation]
        self._shapes = list(pairwise((1, *hidden_layers, 1)))
        self.parameters: Floats = np.zeros(sum((inputs + 1) * outputs for inputs, outputs in self._shapes))
        self._layers = self._views(self.parameters)
        for weight, _ in self._layers:
            bound = np.sqrt(6.0 / sum(weight.shape))
            weight[...] = rng.uniform(-bound, bound, weight.shape)

    def forward(self, y: Floats) -> tuple[Floats, list[Floats]]:
        """From y (N, 1) to the predicted x (N, 1), and each hidden layer's sums before f, (N, units)."""
        sums: list[Floats] = []
        hidden = y
        for weight, bias in self._layers[:-1]:
            sums.append(hidden @ weight + bias)
            hidden = self._function(sums[-1])
        weight, bias = self._layers[-1]
        return hidden @ weight + bias, sums

    def gradient(self, y: Floats, x: Floats) -> Floats:
        """Gradient (P,) of the mean of (prediction - x)² over the batch y, x (both (N, 1))."""
        prediction, sums = self.forward(y)
        inputs = [y, *map(self._function, sums)]
        result = np.empty_like(self.parameters)
        slots = self._views(result)
        back = (prediction - x) * (2.0 / len(y))
        for layer in reversed(range(len(slots))):
            weight_slot, bias_slot = slots[layer]
            np.matmul(inputs[layer].T, back, out=weight_slot)
            back.sum(axis=0, out=bias_slot)
            if layer > 0:
                weight, _ = self._layers[layer]
                back = (back @ weight.T) * self._derivative(sums[layer - 1])
        return result

    def _views(self, flat: Floats) -> list[tuple[Floats, Floats]]:
        """(W, b) of every layer as views of a flat array (P,)."""
        views = []
        start = 0
        for inputs, outputs in self._shapes:
            middle = start + inputs * outputs
            views.append((flat[start:middle].reshape(inputs, outputs), flat[middle : middle + outputs]))
            start = middle + outputs
        return views


class Adam:
    """Adam with its usual constants β = (0.9, 0.999), ε = 1e-8 (Kingma & Ba 2015, algorithm 1)."""

    def __init__(self, parameters: Floats, learning_rate: float) -> None:
        """Will change ``parameters`` (P,) in place."""
        self._parameters = parameters
        self._learning_rate = learning_rate
        self._mean = np.zeros_like(parameters)
        self._square = np.zeros_like(parameters)
        self._steps = 0

    def step(self, gradient: Floats) -> None:
        """θ ← θ - lr · m̂ / (√v̂ + ε), with m̂ and v̂ the bias-corrected means of g and g²; gradient (P,)."""
        self._steps += 1
        self._mean += (gradient - self._mean) * (1 - 0.9)
        self._square += (gradient * gradient - self._square) * (1 - 0.999)
        mean = self._mean / (1 - 0.9**self._steps)
        square = self._square / (1 - 0.999**self._steps)
        self._parameters -= self._learning_rate * mean / (np.sqrt(square) + 1e-8)


def _relu(z: Floats) -> Floats:
    return np.maximum(z, 0.0)


def _relu_derivative(z: Floats) -> Floats:
    return (z > 0.0).astype(np.float64)


def _tanh_derivative(z: Floats) -> Floats:
    return 1.0 - np.square(np.tanh(z))


def _sigmoid(z: Floats) -> Floats:
    return 0.5 + 0.5 * np.tanh(0.5 * z)  # this form cannot overflow


def _silu(z: Floats) -> Floats:
    return z * _sigmoid(z)


def _silu_derivative(z: Floats) -> Floats:
    sigmoid = _sigmoid(z)
    return sigmoid * (1.0 + z * (1.0 - sigmoid))


_ACTIVATIONS: Mapping[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = MappingProxyType(
    {
        "relu": (_relu, _relu_derivative),
        "tanh": (np.tanh, _tanh_derivative),
        "silu": (_silu, _silu_derivative),
    }
)
