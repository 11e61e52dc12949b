"""The written-out backpropagation and Adam against torch's, in float64."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from difftui.inversion.mlp import MLP, Adam

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU}


def torch_twin(net: MLP, hidden: tuple[int, ...]) -> nn.Sequential:
    """The same network in torch, weights copied from the flat array (torch keeps W as (out, in))."""
    layers: list[nn.Module] = []
    values = torch.from_numpy(net.parameters.copy())
    for inputs, outputs in pairwise((1, *hidden, 1)):
        linear = nn.Linear(inputs, outputs, dtype=torch.float64)
        product = inputs * outputs
        weight, bias, values = (
            values[:product],
            values[product : product + outputs],
            values[product + outputs :],
        )
        with torch.no_grad():
            linear.weight.copy_(weight.view(inputs, outputs).T)
            linear.bias.copy_(bias)
        layers += [linear, ACTIVATIONS[net.activation]()]
    assert len(values) == 0
    return nn.Sequential(*layers[:-1])


def flat_gradient(twin: nn.Sequential) -> NDArray[np.float64]:
    """The gradients of a torch twin in our order."""
    pieces = [
        gradient.numpy().ravel()
        for layer in twin
        if isinstance(layer, nn.Linear) and layer.weight.grad is not None and layer.bias.grad is not None
        for gradient in (layer.weight.grad.T, layer.bias.grad)
    ]
    return np.concatenate(pieces)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (3,), (3, 3), (5, 2, 7)])
def test_forward_and_gradient_equal_torch(activation: str, hidden: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    net = MLP((1, *hidden, 1), activation, rng)
    net.parameters += rng.normal(0.0, 0.5, net.parameters.shape)  # biases too
    twin = torch_twin(net, hidden)
    y, x = rng.normal(0.0, 2.0, (2, 33, 1))
    prediction = twin(torch.from_numpy(y))
    nn.functional.mse_loss(prediction, torch.from_numpy(x)).backward()
    loss, gradient = net.gradient(y, x)
    assert loss == pytest.approx(np.mean((net.forward(y)[0] - x) ** 2))
    assert np.abs(net.forward(y)[0] - prediction.detach().numpy()).max() < 1e-12
    assert np.abs(gradient - flat_gradient(twin)).max() < 1e-12


def test_adam_equals_torch() -> None:
    rng = np.random.default_rng(2)
    ours = rng.normal(size=7)
    theirs = torch.from_numpy(ours.copy()).requires_grad_()
    optimiser, peer = Adam(ours, 3e-3), torch.optim.Adam([theirs], lr=3e-3)
    for scale in 10.0 ** rng.uniform(-6, 2, 50):
        gradient = scale * rng.normal(size=7)
        optimiser.step(gradient)
        theirs.grad = torch.from_numpy(gradient)
        peer.step()
    assert np.abs(ours - theirs.detach().numpy()).max() < 1e-12


def test_weights_start_as_in_keras() -> None:
    net = MLP((1, 200, 100, 1), "relu", np.random.default_rng(3))
    middle = net.parameters[400:20_400]
    bound = np.sqrt(6 / 300)
    assert 0.99 * bound < np.abs(middle).max() <= bound
    assert middle.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)
    for biases in (net.parameters[200:400], net.parameters[20_400:20_500], net.parameters[-1:]):
        assert not biases.any()


def test_silu_stays_finite_far_out() -> None:
    net = MLP((1, 2, 1), "silu", np.random.default_rng(0))
    with np.errstate(all="raise", under="ignore"):
        _, gradient = net.gradient(np.array([[-1e6], [1e6]]), np.zeros((2, 1)))
    assert np.isfinite(gradient).all()


def test_bad_arguments() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown activation 'elu'; known: relu, tanh, silu"):
        MLP((1, 3, 1), "elu", rng)
    with pytest.raises(ValueError, match="at least 1 unit"):
        MLP((1, 3, 0, 1), "relu", rng)
