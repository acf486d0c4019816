"""Trains the sample's model: which of three kinds of iris it is, by the petal's size.

Run it in the environment of conda.yml:
    python train.py
"""

from pathlib import Path

import lightgbm
import numpy as np

MODEL_FILE = Path(__file__).parent / "model" / "iris.txt"
# Mean length and width of the petal of setosa, versicolor and virginica, in centimetres.
CENTRES = [(1.5, 0.2), (4.3, 1.3), (5.6, 2.0)]
PARAMETERS = {
    "objective": "multiclass",
    "num_class": 3,
    "num_leaves": 3,
    "verbosity": -1,
    "seed": 1,
    "num_threads": 1,
    "deterministic": True,
}


def train():
    """Fit a few small trees to made-up flowers around the three centres."""
    flowers = np.random.default_rng(1).normal(0, 0.2, (3, 50, 2)) + np.array(CENTRES)[:, None]
    kinds = np.repeat([0, 1, 2], 50)
    names = ["petal_length", "petal_width"]
    data = lightgbm.Dataset(flowers.reshape(-1, 2), kinds, feature_name=names)
    return lightgbm.train(PARAMETERS, data, num_boost_round=10)


if __name__ == "__main__":
    MODEL_FILE.parent.mkdir(exist_ok=True)
    train().save_model(MODEL_FILE)
    print(f"wrote {MODEL_FILE}")
