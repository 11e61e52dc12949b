"""What the speeds are held against is the same training, and turns are timed as they are said to be."""

import sys

import pytest
import torch

from difftui.bench.contest import Contestant, TrainingSpeed, ours, take_turns, training_speed
from difftui.bench.plain import PlainDigits, PlainUNet, plain_training
from difftui.data import bundled
from difftui.errors import DifftuiError
from difftui.models.lab_unet import LabUNet

pytestmark = pytest.mark.slow


def test_the_plain_network_is_the_labs() -> None:
    torch.manual_seed(0)
    ours, plain = LabUNet(), PlainUNet()
    plain.load_state_dict(ours.state_dict())
    x, t = torch.randn(3, 1, 28, 28), torch.tensor([0, 500, 999])
    with torch.no_grad():
        assert (ours(x, t) - plain(x, t)).abs().max() <= 1e-5


def test_the_plain_loop_sees_the_digits_in_minus_one_to_one_and_learns() -> None:
    digits = bundled()
    image, label = PlainDigits(digits)[3]
    assert label == digits.labels[3]
    assert (image[0] * 127.5 + 127.5 - torch.tensor(digits.images[3])).abs().max() <= 1e-4
    torch.manual_seed(0)
    training = plain_training(digits, batch_size=16)
    losses = [next(training) for _ in range(30)]
    assert losses[-1] < 0.9 * losses[0]


def test_a_turn_is_answered_by_its_seconds_and_an_end_is_told() -> None:
    echo = "import sys\nfor line in sys.stdin: print(int(line) / 8, flush=True)"
    with Contestant([sys.executable, "-c", echo]) as child:
        assert [child.seconds(count) for count in (1, 24)] == [0.125, 3.0]
    with (
        Contestant([sys.executable, "-c", "pass"]) as child,
        pytest.raises(DifftuiError, match="has ended"),
    ):
        child.seconds(1)


def test_every_contestant_has_as_many_turns() -> None:
    counting = "import sys\nfor line in sys.stdin: print(int(line) * {} / 100, flush=True)"
    commands = {name: [sys.executable, "-c", counting.format(pace)] for name, pace in (("a", 1), ("b", 4))}
    taken = take_turns(commands, turns=3)
    speed = TrainingSpeed(taken, {"a": 1, "b": 1})
    assert [len(turns) for turns in taken.values()] == [3, 3]
    assert (speed.step("a"), speed.step("b"), speed.ratio("b", "a")) == pytest.approx((0.01, 0.04, 4.0))


def test_the_plain_loop_is_timed_on_the_labs_batch() -> None:
    speed = training_speed([], "cpu", turns=1)
    assert (speed.batch, len(speed.seconds["plain"])) == ({"plain": 64}, 1)
    assert speed.step("plain") > 0
    events = ours("quick", "cpu")
    assert [next(events).step for _ in range(3)] == [1, 2, 3]
    events.close()
