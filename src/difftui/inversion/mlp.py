"""The networks of the inversion with their backpropagation written out, in NumPy.

Why not torch: these layers have 3 to 16 units, so a step is all overhead. NumPy takes about a seventh of the
time of autograd with fused Adam, and needs no thread pool: on two busy cores torch, splitting each tiny
product between two threads, took 50 times as long as on one. It also works before torch has loaded.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MLP", "Adam"]

Floats = NDArray[np.floating[Any]]


class MLP:
    """Fully connected layers: h ← f(h W + b), the last layer without f. One network, or many side by side.

    Weights start uniform in ±√(6 / (in + out)) and biases at 0, as Keras starts them and so as the lab did
    (Glorot & Bengio 2010, eq. 16). It matters: of a thousand 1-3-3-1, after the lab's 500 epochs, 157 are
    dead and 218 near the line. With torch's own start, which draws biases too, 150 and 542.

    Attributes:
        parameters: all weights and biases in one array (P,), layer by layer: W (in, out) row by row, then
            b (out,). The layers are views of it, so changing it in place changes the network. Of ``S``
            networks side by side it is (S, P), and whatever follows has S in front.
    """

    def __init__(
        self,
        layers: tuple[int, ...],
        activation: str,
        rng: np.random.Generator | Sequence[np.random.Generator],
        *,
        dtype: type[np.floating[Any]] = np.float64,
    ) -> None:
        """Draw the weights.

        Args:
            layers: units of every layer, input and output included.
            activation: what follows every layer but the first and last: "relu", "tanh" or "silu".
            rng: what draws the weights; several make as many networks, each as it would be alone.
            dtype: of the parameters.

        Raises:
            ValueError: an unknown activation, or a layer without units.
        """
        if activation not in _ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; known: {', '.join(_ACTIVATIONS)}")
        if any(units < 1 for units in layers):
            raise ValueError(f"every layer needs at least 1 unit, not {layers!r}")
        self.activation = activation
        self._function, self._derivative = _ACTIVATIONS[activation]
        self._shapes = list(pairwise(layers))
        size = sum((inputs + 1) * outputs for inputs, outputs in self._shapes)
        if isinstance(rng, np.random.Generator):
            self.parameters: Floats = np.zeros(size, dtype)
            self._start(self.parameters, rng)
        else:
            self.parameters = np.zeros((len(rng), size), dtype)
            for row, own in zip(self.parameters, rng, strict=True):
                self._start(row, own)
        self._layers = self._views(self.parameters)

    def with_parameters(self, parameters: Floats) -> MLP:
        """The same network with other weights, which are copied, (P,) as ``self.parameters``."""
        other = copy.copy(self)
        other.parameters = parameters.copy()
        other._layers = other._views(other.parameters)
        return other

    def forward(self, inputs: Floats) -> tuple[Floats, list[Floats]]:
        """From inputs (N, in) to outputs (N, out), and each hidden layer's sums before f, (N, units)."""
        outputs, sums, _ = self._through(inputs)
        return outputs, sums

    def gradient(self, inputs: Floats, wanted: Floats) -> tuple[Floats, Floats]:
        """The mean of (output - wanted)² over a batch (N, in), (N, out), and its gradient (P,)."""
        outputs, sums, seen = self._through(inputs)
        error = outputs - wanted
        result = np.empty_like(self.parameters)
        slots = self._views(result)
        back = error * (2.0 / (error.shape[-1] * error.shape[-2]))
        for layer in reversed(range(len(slots))):
            weight_slot, bias_slot = slots[layer]
            np.matmul(seen[layer].swapaxes(-1, -2), back, out=weight_slot)
            back.sum(axis=-2, out=bias_slot)
            if layer > 0:
                weight, _ = self._layers[layer]
                back = (back @ weight.swapaxes(-1, -2)) * self._derivative(sums[layer - 1])
        return np.mean(np.square(error), axis=(-2, -1)), result

    def _start(self, parameters: Floats, rng: np.random.Generator) -> None:
        """Draw the weights of one network, (P,)."""
        for weight, _ in self._views(parameters):
            bound = np.sqrt(6.0 / sum(weight.shape))
            weight[...] = rng.uniform(-bound, bound, weight.shape)

    def _through(self, inputs: Floats) -> tuple[Floats, list[Floats], list[Floats]]:
        """Outputs, each hidden layer's sums, and what each layer was given."""
        sums: list[Floats] = []
        seen = [inputs]
        for weight, bias in self._layers[:-1]:
            sums.append(seen[-1] @ weight + bias[..., None, :])
            seen.append(self._function(sums[-1]))
        weight, bias = self._layers[-1]
        return seen[-1] @ weight + bias[..., None, :], sums, seen

    def _views(self, flat: Floats) -> list[tuple[Floats, Floats]]:
        """(W, b) of every layer as views of flat parameters (..., P)."""
        views = []
        start = 0
        for inputs, outputs in self._shapes:
            middle = start + inputs * outputs
            weight = flat[..., start:middle].reshape(*flat.shape[:-1], inputs, outputs)
            views.append((weight, flat[..., middle : middle + outputs]))
            start = middle + outputs
        return views


class Adam:
    """Adam with ε = 1e-8 (Kingma & Ba 2015, algorithm 1).

    Attributes:
        learning_rate: the step size, which may be changed between steps.
    """

    def __init__(
        self, parameters: Floats, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        """Will change ``parameters`` (any shape) in place."""
        self.learning_rate = learning_rate
        self._parameters = parameters
        self._betas = betas
        self._mean = np.zeros_like(parameters)
        self._square = np.zeros_like(parameters)
        self._steps = 0

    def step(self, gradient: Floats) -> None:
        """θ ← θ - lr · m̂ / (√v̂ + ε), with m̂ and v̂ the bias-corrected means of g and g²; gradient as θ."""
        self._steps += 1
        first, second = self._betas
        self._mean += (gradient - self._mean) * (1 - first)
        self._square += (gradient * gradient - self._square) * (1 - second)
        mean = self._mean / (1 - first**self._steps)
        square = self._square / (1 - second**self._steps)
        self._parameters -= self.learning_rate * mean / (np.sqrt(square) + 1e-8)


def _relu(z: Floats) -> Floats:
    return np.maximum(z, 0.0)


def _relu_derivative(z: Floats) -> Floats:
    return (z > 0.0).astype(z.dtype)


def _tanh_derivative(z: Floats) -> Floats:
    result: Floats = 1.0 - np.square(np.tanh(z))
    return result


def _sigmoid(z: Floats) -> Floats:
    result: Floats = 0.5 + 0.5 * np.tanh(0.5 * z)  # this form cannot overflow
    return result


def _silu(z: Floats) -> Floats:
    result: Floats = z * _sigmoid(z)
    return result


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
