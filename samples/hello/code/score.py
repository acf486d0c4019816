"""Greets whoever the request names; needs no model."""

import json
import os


def init():
    print("ready to greet")


def run(raw_data):
    name = json.loads(raw_data)["name"]
    print(f"greeting {name}")
    return {"greeting": f"{os.environ['GREETING']}, {name}!"}
