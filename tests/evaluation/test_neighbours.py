"""The nearest-neighbour check finds copies, and finds none among new digits."""

import numpy as np
import pytest

from difftui.data import bundled
from difftui.evaluation.neighbours import nearest, neighbours

KNOWN = bundled().images[:3000]
NEW = bundled().images[5000:5100].astype(np.float32) / 127.5 - 1


def test_the_nearest_is_found_as_by_hand() -> None:
    place, first, second = nearest(NEW, KNOWN)
    known = KNOWN.reshape(3000, -1).astype(np.float64) / 127.5 - 1
    for i in (0, 17, 99):
        distances = np.sqrt(((known - NEW[i].reshape(-1)) ** 2).sum(axis=1))
        assert place[i] == distances.argmin()
        assert [first[i], second[i]] == pytest.approx(np.sort(distances)[:2].tolist(), rel=1e-5)


def test_new_digits_are_no_copies_and_copies_are() -> None:
    assert neighbours(NEW, KNOWN).copies == 0
    copied = NEW.copy()
    draws = np.random.default_rng(0)
    noise = draws.normal(0, 0.02, (7, 28, 28)).astype(np.float32)
    copied[:7] = KNOWN[100:107].astype(np.float32) / 127.5 - 1 + noise
    found = neighbours(copied[:, None], KNOWN)
    assert found.copies == 7
    assert found.training_count == 3000
    assert found.smallest < 1.0 < found.median
    place, _, _ = nearest(copied[:7], KNOWN)
    assert place.tolist() == list(range(100, 107))


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        nearest(NEW, KNOWN[:1])
    with pytest.raises(ValueError, match="one size"):
        nearest(NEW[:, :14], KNOWN)
