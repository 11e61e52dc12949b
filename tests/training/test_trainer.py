"""The training loop: against a plain loop, interrupted and resumed, and when things go wrong."""

import json
import math
import shutil
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from difftui.data import Digits, bundled
from difftui.errors import DifftuiError
from difftui.runs import Run, create_run, read_metrics
from difftui.runs.checkpoint import read_metadata
from difftui.training import session as session_module
from difftui.training.progress import Progress
from difftui.training.recipe import Recipe
from difftui.training.seeding import derived_seed, generator
from difftui.training.session import Session, train
from difftui.training.trainer import Trainer

CPU = torch.device("cpu")


def new_run(name: str, recipe: Recipe) -> Run:
    return create_run(name, recipe.to_json())


def losses_of(events: Iterable[Progress]) -> list[float]:
    return [loss for progress in events for loss in progress.losses]


def same_tensors(a: Path, b: Path) -> bool:
    one, two = load_file(a), load_file(b)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_it_is_the_loop_everybody_writes(small: Recipe, few: Digits) -> None:
    """The lab's recipe step for step in plain PyTorch: only the draws are taken from our seeds."""
    recipe = replace(small, warmup_steps=0, decay="none", ema_decay=None, time_sampling="uniform")
    ours = Trainer(recipe, few, CPU)
    plain = Trainer(recipe, few, CPU).model
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3)
    peer = DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear")
    images = torch.from_numpy(few.images.copy()).float().unsqueeze(1) / 127.5 - 1
    for step in range(5):
        epoch, index = divmod(step, 3)
        shuffle = torch.Generator().manual_seed(derived_seed(recipe.seed, "order", epoch))
        x0 = images[torch.randperm(20, generator=shuffle)[8 * index : 8 * index + 8]]
        assert len(x0) == (4 if index == 2 else 8)
        draws = generator(CPU, recipe.seed, "noise", step)
        t = torch.randint(1000, (len(x0),), generator=draws)
        eps = torch.randn(x0.shape, generator=draws)
        loss = F.mse_loss(plain(peer.add_noise(x0, eps, t), t), eps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert ours.train_step().item() == pytest.approx(loss.item(), abs=1e-5)
    assert ours.images_seen == 8 + 8 + 4 + 8 + 8
    # What they say is compared, not their weights: Adam takes a whole step where a gradient is all rounding.
    t = torch.full((20,), 500)
    assert (ours.model(images, t) - plain(images, t)).abs().max() < 1e-3


def test_loss_goes_down_on_real_digits(small: Recipe) -> None:
    digits = Digits(bundled().images[:256], bundled().labels[:256], "256 bundled digits")
    recipe = replace(small.with_budget(steps=20), batch_size=16, learning_rate=2e-3)
    losses = losses_of(train(recipe, digits=digits))
    assert len(losses) == 20
    assert losses[0] == pytest.approx(1.0, abs=0.1)  # a net that answers 0 has E[ε²] = 1
    assert sum(losses[-5:]) / 5 < 0.5


def test_learning_rate_warms_up_and_falls_as_a_half_cosine(small: Recipe, few: Digits) -> None:
    rates = [progress.learning_rate for progress in train(small, digits=few)]
    warm = [1e-3 * (step + 1) / 3 for step in range(3)]
    cold = [1e-3 * 0.5 * (1 + math.cos(math.pi * step / 8)) for step in range(3, 8)]
    assert rates == pytest.approx(warm + cold, abs=1e-12)


def test_same_seed_same_losses_to_the_last_bit(small: Recipe, few: Digits) -> None:
    recipe = small.with_budget(steps=4)
    before = torch.random.get_rng_state()
    first, again = (losses_of(train(recipe, digits=few)) for _ in range(2))
    other = losses_of(train(replace(recipe, seed=1), digits=few))
    assert first == again
    assert not set(first) & set(other)
    assert torch.equal(torch.random.get_rng_state(), before)  # nobody else's random numbers are disturbed


def test_sampling_weights_are_the_average(small: Recipe, few: Digits) -> None:
    trainer = Trainer(small, few, CPU)
    start = [p.detach().clone() for p in trainer.model.parameters()]
    trainer.train_step()
    named = dict(trainer.model.named_parameters())
    for first, (name, average) in zip(start, trainer.sampling_weights().items(), strict=True):
        assert torch.allclose(average, first + (1 - 2 / 11) * (named[name] - first), atol=1e-7)


def test_resumed_equals_uninterrupted_to_the_last_bit(
    small: Recipe, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)  # each loss with its own step
    whole, broken = new_run("whole", small), new_run("broken", small)
    wanted = losses_of(train(small, whole, digits=few))
    got: list[float] = []
    for pulls in (4, 1, 99):  # in the second epoch, right after resuming, to the end
        events = train(small, broken, digits=few, resume=bool(got))
        session = list(islice(events, pulls))
        events.close()
        got += losses_of(session)
    assert got == wanted
    assert same_tensors(whole.weights_path, broken.weights_path)
    assert same_tensors(whole.state_paths[0], broken.state_paths[0])
    assert broken.status().state == "finished"
    assert broken.status().step == 8


def test_a_killed_run_goes_on_from_its_newest_state(
    small: Recipe, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = new_run("whole", small), new_run("killed", small)
    losses_of(train(small, whole, digits=few))
    monkeypatch.setattr(session_module, "SAVE_SECONDS", 0.0)
    events = train(small, killed, digits=few)
    list(islice(events, 5))
    copy = Run(killed.path.with_name("copy"))
    shutil.copytree(killed.path, copy.path)  # what a killed process leaves, and nobody holds its lock
    events.close()
    with copy.metrics.path.open("a") as file:
        file.write('{"step":6,"seconds":1,"loss":0.5,"low":0.5,"high":0.5}\n{"step":7,"sec')
    assert copy.status().state == "stopped"
    assert copy.status().step == 5
    rest = list(train(small, copy, digits=few, resume=True))
    assert [progress.step for progress in rest] == [6, 7, 8]
    assert same_tensors(whole.weights_path, copy.weights_path)
    steps = [row["step"] for row in read_metrics(copy.metrics.path) if "loss" in row]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8]


def test_closing_saves_and_lets_go(small: Recipe, few: Digits) -> None:
    run = new_run("closed", small)
    events = train(small, run, digits=few)
    list(islice(events, 3))
    assert run.is_locked()
    assert run.status().state == "training"
    events.close()
    assert not run.is_locked()
    assert (run.status().state, run.status().step) == ("stopped", 3)
    assert run.status().fraction == pytest.approx(3 / 8)
    position = json.loads(read_metadata(run.state_paths[0])["position"])
    assert position["step"] == 3
    assert position["images_seen"] == 20
    header = read_metadata(run.weights_path)
    assert Recipe.from_json(header["recipe"]) == small
    assert header["step"] == "3"


def test_every_loss_is_told_once(small: Recipe, few: Digits) -> None:
    run = new_run("told", small)
    events = list(train(small, run, digits=few))
    assert len(losses_of(events)) == 8
    assert events[-1].losses
    rows = list(read_metrics(run.metrics.path))
    assert rows[-1]["step"] == 8
    assert [progress.step for progress in events] == list(range(1, 9))
    assert events[-1].fraction == 1
    assert events[-1].epoch == pytest.approx(8 / 3)
    assert events[-1].seconds_left == 0


def test_a_budget_of_time_ends(small: Recipe, few: Digits) -> None:
    recipe = small.with_budget(minutes=0.002)
    run = new_run("minutes", recipe)
    events = list(train(recipe, run, digits=few))
    assert events[-1].seconds >= 0.12
    assert events[-2].seconds < 0.12 if len(events) > 1 else True
    assert events[-1].total_steps is None
    assert len(losses_of(events)) == len(events)  # the last ones too, though the end came in between
    assert run.status().state == "finished"
    assert list(train(recipe, run, digits=few, resume=True)) == []


def test_a_pause_counts_as_no_time(small: Recipe, few: Digits) -> None:
    import time

    events = train(small, digits=few)
    before = next(events).seconds
    time.sleep(0.5)
    began = time.perf_counter()
    after = next(events).seconds
    assert after - before <= time.perf_counter() - began


def test_nan_stops_with_the_last_good_state(
    small: Recipe, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "SAVE_SECONDS", 0.0)
    run = new_run("diverges", small)
    session = Session(small, run, digits=few)
    events = session.events()
    list(islice(events, 3))
    good = load_file(run.state_paths[0])
    session.trainer.weights[0].data.fill_(math.nan)
    with pytest.raises(DifftuiError, match=r"loss is nan at step 4.*step 3, is kept"):
        next(events)
    assert (run.status().state, run.status().step) == ("failed", 3)
    assert "loss is nan at step 4" in run.status().message
    kept = load_file(run.state_paths[0])
    assert all(torch.equal(kept[name], good[name]) for name in good)
    assert not run.is_locked()
    events = train(small, run, digits=few, resume=True)
    assert next(events).step == 4
    events.close()


def test_a_learning_rate_far_too_large_ends_with_a_line_and_not_with_nonsense(
    small: Recipe, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)  # the gradient is looked at with each report
    wild = replace(small, learning_rate=10.0, steps=500, decay="none", warmup_steps=0)
    run = new_run("wild", wild)
    what = r"the (loss|gradient) is (inf|nan) at step \d+ \(learning rate 10\)\. Train a new run"
    with pytest.raises(DifftuiError, match=what):
        list(train(wild, run, digits=few))
    assert run.status().state == "failed"


def test_weights_that_are_no_numbers_are_not_saved(small: Recipe, few: Digits) -> None:
    run = new_run("poisoned", small)
    session = Session(small, run, digits=few)
    events = session.events()
    next(events)
    session.save("training")
    next(events)
    session.trainer.weights[-1].data.fill_(math.inf)  # the loss of this step was still fine
    with pytest.raises(DifftuiError, match="weight is not a finite number at step 2"):
        events.close()
    assert json.loads(read_metadata(run.state_paths[0])["position"])["step"] == 1
    assert run.status().state == "failed"


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


@pytest.fixture
def stopped(small: Recipe, few: Digits) -> Run:
    """A run with two states: of step 2 (previous) and step 4 (newest)."""
    run = new_run("stopped", small)
    for _ in range(2):
        events = train(small, run, digits=few, resume=run.weights_path.exists())
        list(islice(events, 2))
        events.close()
    return run


def test_a_damaged_state_is_passed_over_for_the_one_before(small: Recipe, few: Digits, stopped: Run) -> None:
    newest, previous = stopped.state_paths
    damage(newest)
    events = train(small, stopped, digits=few, resume=True)
    assert next(events).step == 3
    events.close()
    assert json.loads(read_metadata(newest)["position"])["step"] == 3
    assert json.loads(read_metadata(previous)["position"])["step"] == 2  # the good one was not pushed out
    assert newest.with_name("damaged.safetensors").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04N.", b"\x10\0\0\0\0\0\0\0{}              "], ids=["empty", "pickle", "foreign"]
)
def test_a_state_that_is_none_is_refused_by_name(
    small: Recipe, few: Digits, stopped: Run, content: bytes
) -> None:
    for path in stopped.state_paths:
        path.write_bytes(content)
    with pytest.raises(DifftuiError, match=r"stopped cannot be resumed: .*newest\.safetensors"):
        next(train(small, stopped, digits=few, resume=True))
    assert stopped.status().step == 4
    assert stopped.state_paths[0].read_bytes() == content


def test_a_state_of_another_kind_of_training_is_refused(small: Recipe, few: Digits, stopped: Run) -> None:
    with pytest.raises(DifftuiError, match="made for another network"):
        next(train(replace(small, ema_decay=None), stopped, digits=few, resume=True))


def test_other_data_is_refused(small: Recipe, stopped: Run) -> None:
    other = Digits(bundled().images[:30], bundled().labels[:30], "others")
    with pytest.raises(DifftuiError, match="began with 20 images, and there are 30 now"):
        next(train(small, stopped, digits=other, resume=True))


def test_a_run_that_ended_before_its_first_save_begins_again(small: Recipe, few: Digits) -> None:
    run = new_run("early", small)
    run.metrics.append({"step": 1, "loss": 1.0})
    events = list(train(small, run, digits=few, resume=True))
    assert events[0].step == 1
    assert [row["step"] for row in read_metrics(run.metrics.path)].count(1) <= 1


def test_weights_without_a_state_are_not_trained_over(small: Recipe, few: Digits, stopped: Run) -> None:
    for path in stopped.state_paths:
        path.unlink()
    before = stopped.weights_path.read_bytes()
    with pytest.raises(DifftuiError, match="cannot be resumed"):
        next(train(small, stopped, digits=few, resume=True))
    assert stopped.weights_path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(small: Recipe, few: Digits) -> None:
    run = new_run("full", small)
    (run.path / "state").write_text("in the way")
    events = train(small, run, digits=few)
    next(events)
    with pytest.raises(DifftuiError, match="cannot be written"):
        events.close()
    assert not run.is_locked()


def test_a_run_removed_while_it_trains_is_told(small: Recipe, few: Digits) -> None:
    run = new_run("removed", small)
    events = train(small, run, digits=few)
    next(events)
    while run.path.exists():  # a beat may write while it removes
        shutil.rmtree(run.path, ignore_errors=True)
    with pytest.raises(DifftuiError, match=r"removed was removed while it trained. Train a new run."):
        list(events)
    assert not run.path.exists()


def test_a_run_in_training_is_refused(small: Recipe, few: Digits) -> None:
    run = new_run("held", small)
    events = train(small, run, digits=few)
    next(events)
    with pytest.raises(DifftuiError, match="being trained by process"):
        next(train(small, run, digits=few, resume=True))
    events.close()


def test_position_and_tensors_are_all_there_is(small: Recipe, few: Digits) -> None:
    one, two = Trainer(small, few, CPU), Trainer(replace(small, seed=small.seed), few, CPU)
    for _ in range(3):
        one.train_step()
    saved: dict[str, Tensor] = {name: tensor.clone() for name, tensor in one.tensors().items()}
    two.restore(saved, one.position())
    assert one.train_step().item() == two.train_step().item()
    with pytest.raises(KeyError):
        two.restore(saved, {"step": 3})
