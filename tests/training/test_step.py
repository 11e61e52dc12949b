"""However a step is executed, it is the same step: held against autograd on the whole batch."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from difftui.data import Digits
from difftui.training import Recipe, preset
from difftui.training.distributed import ALONE
from difftui.training.step import (
    Batch,
    RecordedStep,
    Shards,
    Split,
    StaticStep,
    Whole,
    keep_freed_memory,
)
from difftui.training.trainer import Trainer

CPU = torch.device("cpu")


def a_batch(size: int) -> Batch:
    draw = torch.Generator().manual_seed(size)
    x0, eps = (torch.randn(size, 1, 3, 3, generator=draw) for _ in range(2))
    return Batch(x0, eps, torch.randint(5, (size,), generator=draw), None)


def linear_losses(weight: Tensor) -> Callable[[Batch], Tensor]:
    return lambda batch: ((weight * batch.x0).sum((1, 2, 3)) - batch.t).square()


@pytest.mark.parametrize(("size", "count", "sizes"), [(8, 2, [4, 4]), (7, 3, [2, 2, 3]), (2, 4, [1, 1])])
def test_parts_share_a_batch_out(size: int, count: int, sizes: list[int]) -> None:
    batch = a_batch(size)
    parts = batch.parts(count)
    assert [len(part) for part in parts] == sizes
    assert torch.equal(torch.cat([part.x0 for part in parts]), batch.x0)
    assert torch.equal(torch.cat([part.t for part in parts]), batch.t)
    assert all(part.label is None for part in parts)


@pytest.mark.parametrize("size", [1, 5, 8])
def test_the_gradient_of_shards_is_the_gradient(size: int) -> None:
    weight = torch.linspace(-1, 1, 9).view(3, 3).requires_grad_()
    batch = a_batch(size)
    losses = linear_losses(weight)
    (wanted,) = torch.autograd.grad(losses(batch).mean(), [weight])
    for gradients in (Whole(losses, [weight], ALONE), Shards(losses, [weight], Split(3, 1))):
        loss = gradients(batch)
        assert loss.item() == pytest.approx(losses(batch).mean().item(), rel=1e-6)
        assert not loss.requires_grad
        assert weight.grad is not None
        assert (weight.grad - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_gradients_lie_in_memory_as_their_weights() -> None:
    """The fused optimiser walks through both in memory order, whatever their strides say."""
    weight = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last).requires_grad_()

    def losses(batch: Batch) -> Tensor:  # through a copy whose gradient arrives in the plain order
        return (weight.contiguous().flatten() * torch.arange(108)).sum() * batch.x0.flatten(1).sum(1)

    Shards(losses, [weight], Split(2, 1))(a_batch(4))
    assert weight.grad is not None
    assert weight.grad.stride() == weight.stride()


def test_the_shards_do_not_depend_on_the_machines_threads() -> None:
    weight = torch.linspace(-1, 1, 9).view(3, 3).requires_grad_()
    seen = []

    def losses(batch: Batch) -> Tensor:
        seen.append(torch.get_num_threads())
        return linear_losses(weight)(batch)

    before = torch.get_num_threads()
    Shards(losses, [weight], Split(2, 1))(a_batch(6))
    assert seen == [1, 1]
    assert torch.get_num_threads() == before


def test_a_failing_shard_is_told() -> None:
    weight = torch.ones(3, 3, requires_grad=True)

    def losses(batch: Batch) -> Tensor:
        raise MemoryError("too much")

    with pytest.raises(MemoryError, match="too much"):
        Shards(losses, [weight], Split(2, 1))(a_batch(6))


@pytest.mark.parametrize("name", ["lab", "quick"])
def test_a_sharded_training_is_the_same_training(few: Digits, name: str) -> None:
    recipe = replace(preset(name).with_budget(steps=3), data="bundled", batch_size=8, precision="fp32")
    whole, sharded = Trainer(recipe, few, CPU), Trainer(recipe, few, CPU)
    whole.split, sharded.split = Split(1, 1), Split(2, 1)
    for _ in range(3):  # the third batch is a partial one
        assert sharded.train_step().item() == pytest.approx(whole.train_step().item(), rel=1e-4)
    assert whole.images_seen == sharded.images_seen == 20


def test_shards_are_part_of_the_position(small: Recipe, few: Digits) -> None:
    """A run that began on two cores goes on to the last bit where there is one, and the other way round."""
    began = Trainer(small, few, CPU)
    began.split = Split(2, 1)
    began.train_step()
    saved = {name: tensor.clone() for name, tensor in began.tensors().items()}
    for other in (Split(1, 1), Split(4, 1)):
        resumed = Trainer(small, few, CPU)
        resumed.split = other
        resumed.restore(saved, began.position())
        assert resumed.split == Split(2, 1)
    expected = [began.train_step().item() for _ in range(3)]
    assert [resumed.train_step().item() for _ in range(3)] == expected


def test_a_static_step_is_the_step_to_the_last_bit(small: Recipe, few: Digits) -> None:
    """What a CUDA graph records, without the recording."""
    plain, static = Trainer(small, few, CPU), Trainer(small, few, CPU)
    recorded: StaticStep | None = None
    for _ in range(4):
        batch = static._draw()
        if len(batch) == small.batch_size and recorded is None:
            recorded = StaticStep(static._body, batch)
            at = [recorded.batch.x0.data_ptr(), recorded.batch.t.data_ptr()]
        assert recorded is not None
        static._set_rate(static.learning_rate())
        assert static.ema is not None
        static.ema.advance()
        loss = recorded(batch) if len(batch) == small.batch_size else static._body(batch)
        static.step += 1
        assert loss.item() == plain.train_step().item()
    assert recorded is not None
    assert at == [recorded.batch.x0.data_ptr(), recorded.batch.t.data_ptr()]
    for one, other in zip(plain.weights, static.weights, strict=True):
        assert torch.equal(one, other)


def test_memory_is_kept_unless_the_user_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    keep_freed_memory.cache_clear()
    assert not keep_freed_memory()
    keep_freed_memory.cache_clear()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_recorded_training_is_the_eager_one(few: Digits) -> None:
    recipe = replace(preset("quick").with_budget(steps=12), data="bundled", batch_size=8, precision="fp32")
    device = torch.device("cuda")
    recorded, eager = Trainer(recipe, few, device), Trainer(recipe, few, device)
    eager._execute = eager._body  # type: ignore[method-assign]
    for _ in range(12):
        assert recorded.train_step().item() == pytest.approx(eager.train_step().item(), rel=1e-3)
    assert isinstance(recorded._static, RecordedStep)
    assert recorded._static._graph is not None
