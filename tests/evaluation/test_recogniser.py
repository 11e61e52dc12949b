"""The shipped recogniser knows digits it never saw; training one works; damage is named."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from difftui.data import bundled, load
from difftui.errors import DifftuiError
from difftui.evaluation.recogniser import (
    FEATURES,
    Recogniser,
    RecogniserRecipe,
    accuracy,
    augment,
    default_folder,
    judge,
    load_recogniser,
    save_recogniser,
    to_pictures,
    train_recogniser,
)


def test_shipped_recogniser_is_right_on_the_whole_test_set(full_mnist: Path) -> None:
    test = load("mnist", "test", data_dir=full_mnist)
    assert accuracy(load_recogniser(), test.images, test.labels) >= 0.993


def test_shipped_recogniser_is_right_on_bundled_digits() -> None:
    digits = bundled()
    assert accuracy(load_recogniser(), digits.images[:2000], digits.labels[:2000]) >= 0.99


def test_shipped_files_are_small_and_say_what_made_them() -> None:
    folder = default_folder()
    assert (folder / "weights.safetensors").stat().st_size < 1_000_000
    assert RecogniserRecipe(**json.loads((folder / "recipe.json").read_text())).epochs > 0
    assert json.loads((folder / "metrics.json").read_text())["test_accuracy"] >= 0.993


def test_shapes_ranges_and_probabilities() -> None:
    torch.manual_seed(0)
    features, probabilities = judge(Recogniser().eval(), torch.rand(7, 1, 28, 28) * 2 - 1, batch_size=3)
    assert features.shape == (7, FEATURES)
    assert features.min() >= 0
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(7))


def test_to_pictures_maps_bytes_to_the_unit_range() -> None:
    images = np.zeros((2, 28, 28), dtype=np.uint8)
    images[1] = 255
    pictures = to_pictures(images)
    assert pictures.shape == (2, 1, 28, 28)
    assert pictures[0].unique().tolist() == [-1.0]
    assert pictures[1].unique().tolist() == [1.0]


def test_augmentation_without_strength_changes_nothing_and_shifts_by_pixels() -> None:
    still = RecogniserRecipe(rotation_degrees=0, scale=0, shear=0, shift_pixels=0)
    pictures = to_pictures(bundled().images[:16])
    same = augment(pictures, still, torch.Generator().manual_seed(0))
    torch.testing.assert_close(same, pictures, atol=1e-5, rtol=0)
    shifting = RecogniserRecipe(rotation_degrees=0, scale=0, shear=0, shift_pixels=2)
    moved = augment(pictures, shifting, torch.Generator().manual_seed(0))
    assert centre_shift(moved, pictures).abs().max() <= 2.01
    assert centre_shift(moved, pictures).abs().max() > 0.5


def centre_shift(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Horizontal distance, in pixels, between the centres of ink of two batches."""
    columns = torch.arange(28.0)

    def centre(pictures: torch.Tensor) -> torch.Tensor:
        ink = (pictures[:, 0] + 1).sum(dim=1)
        return (ink * columns).sum(dim=1) / ink.sum(dim=1)

    return centre(a) - centre(b)


def test_training_learns_and_repeats() -> None:
    digits = bundled()
    images, labels = digits.images[:640], digits.labels[:640]
    recipe = RecogniserRecipe(epochs=3, batch_size=64, learning_rate=2e-3)

    def run(steps: int | None = None) -> tuple[list[float], Recogniser]:
        torch.manual_seed(0)
        model = Recogniser()
        events = islice(train_recogniser(images, labels, recipe, model), steps)
        return [float(progress.loss) for progress in events], model

    losses, model = run()
    assert len(losses) == 30
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert not model.training
    assert accuracy(model, digits.images[5000:5300], digits.labels[5000:5300]) > 0.6
    assert run(12)[0] == pytest.approx(losses[:12], abs=1e-4), "the second epoch too"


def test_weights_survive_the_disk_and_damage_is_named(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Recogniser().eval()
    save_recogniser(model, tmp_path)
    pictures = torch.rand(4, 1, 28, 28)
    torch.testing.assert_close(load_recogniser(tmp_path)(pictures), model(pictures))
    path = tmp_path / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DifftuiError, match="damaged"):
        load_recogniser(tmp_path)
    with pytest.raises(DifftuiError, match="does not exist"):
        load_recogniser(tmp_path / "absent")


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, 1, 28, 28\)"):
        judge(Recogniser(), torch.zeros(2, 28, 28))
    with pytest.raises(ValueError, match="uint8"):
        to_pictures(torch.zeros(2, 28, 28))
    with pytest.raises(ValueError, match="one batch"):
        next(train_recogniser(*few_digits(), RecogniserRecipe(), Recogniser()))


def few_digits() -> tuple[np.ndarray, np.ndarray]:
    return bundled().images[:5], bundled().labels[:5]
