"""Where difftui looks for what ships and for what is the user's."""

from pathlib import Path

import pytest

from difftui import paths
from difftui.errors import DifftuiError

ROOT = Path(__file__).parents[1]


def test_a_checkout_uses_the_folders_at_its_top() -> None:
    assert paths.assets_dir() == ROOT / "assets"
    assert paths.checkpoints_dir() == ROOT / "checkpoints"


def test_a_wheel_uses_the_folders_it_carries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "difftui"
    (package / "_data" / "assets").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths.assets_dir() == package / "_data" / "assets"
    with pytest.raises(DifftuiError, match="'checkpoints' is missing"):
        paths.checkpoints_dir()


def test_home_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFFTUI_HOME", str(tmp_path / "lab"))
    assert paths.home_dir() == tmp_path / "lab"
    monkeypatch.setenv("DIFFTUI_HOME", "~/lab")
    assert paths.home_dir() == Path.home() / "lab"
    monkeypatch.setenv("DIFFTUI_HOME", "")
    assert paths.home_dir().name == "difftui"
    assert paths.home_dir().is_absolute()
