"""Tells three kinds of iris apart by the length and width of the petal."""

import json
import os

import lightgbm
import numpy as np

KINDS = ["setosa", "versicolor", "virginica"]


def init():
    global model
    model = lightgbm.Booster(model_file=os.path.join(os.environ["AZUREML_MODEL_DIR"], "iris.txt"))
    print(f"loaded {model.num_trees()} trees")


def run(raw_data):
    flowers = np.asarray(json.loads(raw_data)["flowers"], dtype=float)
    likely = model.predict(flowers)
    return [
        {"kind": KINDS[best], "probability": round(float(row[best]), 3)}
        for row, best in zip(likely, likely.argmax(axis=1), strict=True)
    ]
