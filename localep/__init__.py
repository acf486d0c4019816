"""Run Azure Machine Learning online endpoints on one's own machine."""

__version__ = "0.1.0"
