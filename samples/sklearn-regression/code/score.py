"""Predicts the progression of diabetes after one year from ten measurements a patient."""

import json
import os

import joblib
import numpy as np

MODEL_FILE = os.path.join("model", "diabetes.pkl")


def init():
    global model
    model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], MODEL_FILE))
    print(f"loaded a {type(model).__name__}")


def run(raw_data):
    data = np.asarray(json.loads(raw_data)["data"])
    print(f"predicting for {len(data)} patients")
    return {"predictions": model.predict(data).round(2).tolist()}
