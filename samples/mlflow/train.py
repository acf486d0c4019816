"""Trains a model on the diabetes data that ships with scikit-learn, and saves it with MLflow.

Run it in an environment with the packages below:
    python train.py
"""

import shutil
from pathlib import Path

import mlflow
from mlflow.models import infer_signature
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

FOLDER = Path(__file__).parent / "model"
# The last two are what the cloud's own scoring script needs, and adds to no model's list.
PACKAGES = [
    "mlflow-skinny==2.22.5",
    "numpy==2.3.4",
    "pandas==2.3.3",
    "scikit-learn==1.7.2",
    "azureml-inference-server-http",
    "azureml-ai-monitoring",
]


def train():
    """Fit the model to unscaled measurements; returns it with its signature."""
    data, target = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    data = data[["age", "bmi", "bp"]]
    model = LinearRegression().fit(data, target)
    return model, infer_signature(data, model.predict(data))


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    model, signature = train()
    mlflow.sklearn.save_model(model, FOLDER, signature=signature, pip_requirements=PACKAGES)
    print(f"wrote {FOLDER}")
