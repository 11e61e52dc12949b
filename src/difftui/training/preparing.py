"""Pictures and network brought together before a training begins, or one line on why they do not fit."""

from __future__ import annotations

from dataclasses import replace

from difftui import models
from difftui.data import Digits, Pictures, load_pictures, settled
from difftui.errors import DifftuiError
from difftui.training.recipe import PRESETS, Recipe

__all__ = ["fitted", "made_ready", "prepared"]


def made_ready(recipe: Recipe) -> tuple[Recipe, Pictures]:
    """A new training's recipe and its pictures: those that are really used, and a network built for them.

    Raises:
        DifftuiError: they are not on this machine, or the network cannot be built for them.
    """
    used = replace(recipe, data=settled(recipe.data))
    pictures = prepared(used, load_pictures(used.data, size=used.image_size))
    return fitted(used, pictures), pictures


def prepared(recipe: Recipe, pictures: Pictures | Digits) -> Pictures:
    """What the recipe trains on: the classes and the size that it says.

    Raises:
        DifftuiError: there are not so many classes.
    """
    whole = Pictures.of(pictures) if isinstance(pictures, Digits) else pictures
    try:
        return whole.prepared(recipe.image_size, recipe.classes)
    except ValueError as error:
        raise DifftuiError(f"{error}. Choose another number of classes.") from None


def fitted(recipe: Recipe, pictures: Pictures) -> Recipe:
    """The recipe with its network built for these pictures, as :func:`prepared` gives them.

    A network that is asked for classes and finds none in the pictures goes without.

    Raises:
        DifftuiError: its network cannot be built for them.
    """
    try:
        options = models.fitted(recipe.model, recipe.model_options, pictures.shape, pictures.num_classes)
    except ValueError as error:
        others = ", ".join(_presets_for(pictures))
        advice = f"another preset ({others})" if others else "another --image-size"
        raise DifftuiError(f"{error}: {pictures.source}. Choose other --data, or {advice}.") from None
    usual = models.defaults(recipe.model)
    told = {
        name: value
        for name, value in options.items()
        if name in recipe.model_options or value != usual[name]  # what goes without saying is not said
    }
    return replace(recipe, model_options=told)


def _presets_for(pictures: Pictures) -> list[str]:
    """The presets whose networks can be built for such pictures as they are."""
    names = []
    for name, preset in PRESETS.items():
        try:
            models.fitted(preset.model, preset.model_options, pictures.shape, pictures.num_classes)
        except ValueError:
            continue
        names.append(name)
    return names
