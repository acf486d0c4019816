"""Knows nothing of browsers; the server answers them, by the variable AML_CORS_ORIGINS."""

import json


def init():
    pass


def run(raw_data):
    return {"received": json.loads(raw_data)}
