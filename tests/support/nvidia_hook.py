#!/usr/bin/env python3
"""Stands in for nvidia-container-runtime-hook, on a machine with the GPUs 0 and 1.

It finds out which GPUs a container shall have as the real one does, and refuses in its words. The
container's variable STAND_IN_FAULT makes it fail as it does where the driver is at fault.
"""

import json
import sys
from pathlib import Path

THERE = {
    *("0", "1", "all", "none", "void"),
    "GPU-11111111-2222-3333-4444-555555555555",
    "MIG-66666666-7777-8888-9999-000000000000",
}
FAULTS = {
    "old driver": "requirement error: unsatisfied condition: cuda>=12.8, please update your "
    "driver to a newer version, or use an earlier cuda container",
    "no driver": "initialization error: nvml error: driver not loaded",
}


def main() -> None:
    bundle = Path(json.load(sys.stdin)["bundle"])
    process = json.loads((bundle / "config.json").read_text())["process"]
    variables = dict(text.split("=", 1) for text in process["env"])
    fault = FAULTS.get(variables.get("STAND_IN_FAULT", ""))
    if fault is not None:
        refuse(fault)
    for device in variables["NVIDIA_VISIBLE_DEVICES"].split(","):
        if device not in THERE:
            refuse(f"device error: {device}: unknown device")


def refuse(why: str) -> None:
    sys.exit(f"Auto-detected mode as 'legacy'\nnvidia-container-cli: {why}")


main()
