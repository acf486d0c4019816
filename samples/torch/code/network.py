"""The network, as training and scoring share it."""

from torch import nn


def build():
    """Two coordinates in; out comes how likely (before the sigmoid) they lie in the circle."""
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
