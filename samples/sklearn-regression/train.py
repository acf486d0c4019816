"""Trains the sample's model on the diabetes data that ships with scikit-learn.

Run it in the environment of conda.yml, so that the model fits the version that loads it:
    python train.py
"""

from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODEL_FILE = Path(__file__).parent / "model" / "diabetes.pkl"


def train():
    """Fit the model to the unscaled measurements: age, sex, BMI, blood pressure, six values."""
    data, target = load_diabetes(return_X_y=True, scaled=False)
    model = make_pipeline(StandardScaler(), Ridge(alpha=1.0))
    return model.fit(data, target)


if __name__ == "__main__":
    MODEL_FILE.parent.mkdir(exist_ok=True)
    joblib.dump(train(), MODEL_FILE)
    print(f"wrote {MODEL_FILE}")
