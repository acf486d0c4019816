"""Tells which points lie in the unit circle, on a GPU where there is one."""

import json
import os

import torch
from network import build

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def init():
    global network
    weights = os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "network.pt")
    network = build().to(DEVICE).eval()
    network.load_state_dict(torch.load(weights, map_location=DEVICE, weights_only=True))
    print(f"runs on {DEVICE}")


def run(raw_data):
    points = torch.tensor(json.loads(raw_data)["points"], dtype=torch.float32, device=DEVICE)
    with torch.inference_mode():
        inside = network(points).sigmoid().squeeze(1) > 0.5
    return {"device": DEVICE, "inside": inside.tolist()}
