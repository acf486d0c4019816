"""Multiplies matrices on a GPU where there is one, and tells where it did."""

import json

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def init():
    global gpus
    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    print(f"runs on {DEVICE}, GPUs: {', '.join(gpus) or 'none'}")


def run(raw_data):
    matrices = json.loads(raw_data)["matrices"]
    tensors = [torch.tensor(rows, dtype=torch.float32, device=DEVICE) for rows in matrices]
    product = torch.linalg.multi_dot(tensors)
    return {"device": product.device.type, "gpus": gpus, "product": product.tolist()}
