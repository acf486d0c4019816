"""Trains the sample's network to know the unit circle.

Run it in the environment of conda.yml:
    python train.py
"""

import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parent / "code"))

from network import build

WEIGHTS = Path(__file__).parent / "model" / "network.pt"


def train(rounds=600):
    """Fit the network to points of the square around the circle."""
    torch.manual_seed(1)
    network = build()
    points = torch.rand(2000, 2) * 3 - 1.5
    inside = (points.norm(dim=1) < 1).float().unsqueeze(1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(rounds):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(network(points), inside).backward()
        optimizer.step()
    return network


if __name__ == "__main__":
    WEIGHTS.parent.mkdir(exist_ok=True)
    torch.save(train().state_dict(), WEIGHTS)
    print(f"wrote {WEIGHTS}")
