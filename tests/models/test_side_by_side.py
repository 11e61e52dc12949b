"""Asked in parts, a network answers as it does when asked whole."""

from functools import partial

import pytest
import torch

from difftui import models
from difftui.models.side_by_side import (
    SideBySide,
    Split,
    choose_split,
    edges,
    in_parallel,
    side_by_side,
    with_threads,
)


@pytest.fixture(autouse=True)
def _threads_as_they_were() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_split_uses_the_threads_there_are() -> None:
    assert choose_split(0) == choose_split(1) == Split(1, 1)
    assert choose_split(2) == Split(2, 1)
    assert choose_split(8) == Split(4, 2)


@pytest.mark.parametrize(("size", "count", "sizes"), [(8, 2, [4, 4]), (7, 3, [2, 2, 3]), (2, 4, [1, 1])])
def test_edges_leave_nothing_out(size: int, count: int, sizes: list[int]) -> None:
    slices = edges(size, count)
    assert [which.stop - which.start for which in slices] == sizes
    assert [index for which in slices for index in range(size)[which]] == list(range(size))


@pytest.mark.parametrize("name", ["lab-unet", "patch-unet"])
@pytest.mark.parametrize("size", [1, 5])
def test_parts_make_the_whole_answer(name: str, size: int) -> None:
    torch.manual_seed(0)
    model = models.place(models.build(name), "cpu").eval()
    for parameter in model.parameters():  # the last layers of one start at zero
        torch.nn.init.normal_(parameter, std=0.1)
    parted = SideBySide(model, Split(2, 1))
    assert (parted.image_shape, parted.num_classes) == (model.image_shape, model.num_classes)
    x, t = torch.randn(size, 1, 28, 28), torch.randint(1000, (size,))
    label = torch.randint(10, (size,)) if name == "patch-unet" else None
    with torch.inference_mode():
        wanted, got = model(x, t, label), parted(x, t, label)
    assert got.is_inference()
    assert (got - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_autocast_reaches_the_parts() -> None:
    model = models.place(models.build("lab-unet"), "cpu").eval()
    x, t = torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.long)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert SideBySide(model, Split(2, 1))(x, t).dtype == torch.bfloat16
    with torch.no_grad():
        assert SideBySide(model, Split(2, 1))(x, t).dtype == torch.float32


def test_only_where_there_are_threads_to_share() -> None:
    model = models.build("lab-unet")
    torch.set_num_threads(1)
    assert side_by_side(model) is model
    torch.set_num_threads(2)
    assert isinstance(side_by_side(model), SideBySide)


def test_each_part_has_its_own_threads_and_leaves_others_theirs() -> None:
    before = torch.get_num_threads()
    assert in_parallel(Split(2, 1), [torch.get_num_threads] * 2) == [1, 1]
    assert torch.get_num_threads() == before


def test_results_come_in_order_and_failures_are_told() -> None:
    assert in_parallel(Split(2, 1), [partial(pow, 2, n) for n in range(5)]) == [1, 2, 4, 8, 16]
    with pytest.raises(ZeroDivisionError):
        in_parallel(Split(2, 1), [partial(divmod, 1, n) for n in (1, 0)])


def test_between_the_parts_there_are_no_more_threads_than_in_one() -> None:
    torch.set_num_threads(3)

    def fail() -> None:
        with with_threads(Split(3, 1)):
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.get_num_threads() == 3
