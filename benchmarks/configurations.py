"""The configurations of the window network that cross-validation compared, by name."""

from __future__ import annotations

from dataclasses import replace

from model.augment import Augmentation
from model.training import TrainingOptions, default_options

RECIPE = TrainingOptions("window", batch_size=128, learning_rate=3e-3, epochs=30)
"""The recipe that the search began with: shift 32, warp 15 %, gain 10 %, rotation 15 degrees, noise 0.003."""

SMALL = {"filters": (48, 64), "units": 64}
"""Half the parameters and 0.6 of the time: five of them fit where two of the recipe do."""

CONFIGURATIONS: dict[str, TrainingOptions] = {
    "default": replace(default_options("window"), temperature=1.0),
    "recipe": RECIPE,
    "summary": replace(RECIPE, members=0, summary_members=1),
    "summary-swap": replace(RECIPE, members=0, summary_members=1, augmentation=Augmentation(swap=0.5)),
    "summary-rotation-25": replace(RECIPE, members=0, summary_members=1, augmentation=Augmentation(rotation_deg=25.0)),
    "summary-gain-25": replace(RECIPE, members=0, summary_members=1, augmentation=Augmentation(gain=0.25)),
    "summary-epochs-90": replace(RECIPE, members=0, summary_members=1, epochs=90),
    "swap": replace(RECIPE, augmentation=Augmentation(swap=0.5)),
    "rotation-25": replace(RECIPE, augmentation=Augmentation(rotation_deg=25.0)),
    "ema": replace(RECIPE, ema=0.995),
    "mixup": replace(RECIPE, mixup=0.2),
    "magnitudes": replace(RECIPE, hyperparameters={"magnitudes": True}),
    "jerk": replace(RECIPE, hyperparameters={"jerk": True}),
    "heading-30": replace(RECIPE, augmentation=Augmentation(heading_deg=30.0)),
    "small": replace(RECIPE, hyperparameters=SMALL),
    "small-jerk": replace(RECIPE, hyperparameters={**SMALL, "jerk": True, "magnitudes": True}),
    "small-summary": replace(RECIPE, hyperparameters={**SMALL, "summary_units": 32}),
    "small-tremor": replace(RECIPE, hyperparameters={**SMALL, "gravity": False}),
    "small-mixup": replace(RECIPE, hyperparameters=SMALL, mixup=0.2),
    "small-rotation-25": replace(RECIPE, hyperparameters=SMALL, augmentation=Augmentation(rotation_deg=25.0)),
    "small-swap": replace(RECIPE, hyperparameters=SMALL, augmentation=Augmentation(swap=0.5)),
    "small-heading-30": replace(RECIPE, hyperparameters=SMALL, augmentation=Augmentation(heading_deg=30.0)),
    "small-rotation-20": replace(RECIPE, hyperparameters=SMALL, augmentation=Augmentation(rotation_deg=20.0)),
    "small-ema": replace(RECIPE, hyperparameters=SMALL, ema=0.995),
    "epochs-60": replace(RECIPE, epochs=60),
    "smoothing-0.05": replace(RECIPE, label_smoothing=0.05),
}
"""Each is the recipe but for what its name says; ``default`` is what `har-model train` trains, not yet calibrated."""
