"""Values flats by two versions of a price model and a model of the districts.

Where a deployment has several models, AZUREML_MODEL_DIR is the folder that holds each of them,
its file or folder, at <name>/<version>/.
"""

import json
import os


def load(name, version, *file):
    folder = os.path.join(os.environ["AZUREML_MODEL_DIR"], name, version)
    with open(os.path.join(folder, *file), encoding="utf-8") as stream:
        return json.load(stream)


def init():
    global prices, factors
    prices = {
        "1": load("price", "1", "price-2024.json"),
        "2": load("price", "2", "price-2025.json"),
    }
    factors = load("districts", "1", "districts", "factors.json")


def run(raw_data):
    flat = json.loads(raw_data)
    factor = factors.get(flat["district"], 1)
    return {
        version: round(factor * (price["base"] + price["square_metre"] * flat["square_metres"]))
        for version, price in prices.items()
    }
