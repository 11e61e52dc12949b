"""Settings: file, environment and flags, each above the one before; damage costs one line."""

import tomllib
from pathlib import Path

import pytest

from difftui.errors import DifftuiError
from difftui.settings import Settings, load_settings, settings_path, write_template


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "settings.toml"
    monkeypatch.setenv("DIFFTUI_CONFIG", str(path))
    for name in ("THEME", "PIXELS", "FPS", "REDUCED_MOTION"):
        monkeypatch.delenv(f"DIFFTUI_{name}", raising=False)
    return path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_without_a_file_the_defaults_count() -> None:
    loaded = load_settings()
    assert loaded.settings == Settings()
    assert loaded.notices == ()


def test_each_source_goes_above_the_one_before(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(config, 'theme = "light"\nfps = 10\npixels = "braille"\n')
    assert load_settings().settings == Settings("light", "braille", 10)
    monkeypatch.setenv("DIFFTUI_FPS", "20")
    monkeypatch.setenv("DIFFTUI_REDUCED_MOTION", "Yes")
    assert load_settings().settings == Settings("light", "braille", 20, True)
    flags = {"fps": 30, "theme": "high-contrast", "pixels": None}
    assert load_settings(flags).settings == Settings("high-contrast", "braille", 30, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('theme = "pink"', "theme is 'pink', but must be one of auto, dark, light, high-contrast"),
        ("theme = []", "theme is [], but must be one of"),
        ("fps = 0", "fps is 0, but must be a whole number from 1 to 60"),
        ("fps = 61", "fps is 61"),
        ("fps = true", "fps is True"),
        ("reduced_motion = 1", "reduced_motion is 1, but must be true or false"),
        ("colour = 3", "there is no setting 'colour'. Known: theme, pixels, fps, reduced_motion"),
    ],
)
def test_a_bad_entry_is_told_and_the_rest_counts(config: Path, text: str, told: str) -> None:
    whole = f'{text}\npixels = "mono"\n'
    _write(config, whole)
    loaded = load_settings()
    assert loaded.settings == Settings(pixels="mono")
    (notice,) = loaded.notices
    assert notice.startswith(f"{config}: ")
    assert told in notice
    assert config.read_text(encoding="utf-8") == whole


@pytest.mark.parametrize("data", [b"theme = ", b"\xff\xfe", b"fps = 1\nfps = 2\n"])
def test_a_damaged_file_is_told_and_left_alone(config: Path, data: bytes) -> None:
    config.parent.mkdir()
    config.write_bytes(data)
    loaded = load_settings()
    assert loaded.settings == Settings()
    assert len(loaded.notices) == 1
    assert "\n" not in loaded.notices[0]
    assert config.read_bytes() == data


@pytest.mark.parametrize("text", ["many", "-1", "1.5", "²", "99"])
def test_a_bad_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DIFFTUI_FPS", text)
    loaded = load_settings()
    assert loaded.settings.fps == 15
    assert loaded.notices[0].startswith("DIFFTUI_FPS: fps is ")


def test_the_template_holds_the_defaults_and_replaces_nothing(config: Path) -> None:
    assert write_template() == config == settings_path()
    text = config.read_text(encoding="utf-8")
    assert tomllib.loads(text) == {}
    lines = [line.removeprefix("#") for line in text.splitlines() if line[:2] not in ("# ", "")]
    assert Settings(**tomllib.loads("\n".join(lines))) == Settings()
    with pytest.raises(DifftuiError, match="exists and stays as it is"):
        write_template()
    assert config.read_text(encoding="utf-8") == text
