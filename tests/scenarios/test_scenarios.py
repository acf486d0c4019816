"""Sessions at the terminal, each a file that reads like one; prysk compares the whole output."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.engine import Localep

SCENARIOS = sorted(Path(__file__).parent.glob("*.t"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_session(scenario: Path, localep: Localep, samples: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    result = subprocess.run(
        [sys.executable, "-m", "prysk", str(scenario)],
        env={**localep.environment(), "SAMPLES": str(samples), "PORT": port, "PATH": programs},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    scenario.with_suffix(".t.err").unlink(missing_ok=True)
    assert result.returncode == 0, result.stdout
