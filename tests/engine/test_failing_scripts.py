"""Scripts that do not get ready: the reason is shown at once, and nothing is left behind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from support.engine import Answer, Localep, write_script

HEADER = "Error: The deployment did not get ready.\n"
TRACEBACK = "  Traceback (most recent call last):\n"
ENDED = "  The server ended with exit code 3.\n"
CORRECT = "Remedy: Correct score.py and try again.\n"
EXIT = "Remedy: Look for os._exit in the script and in what it imports.\n"


def create(localep: Localep, hello: Path, script: str, *arguments: str) -> Answer:
    """Create an endpoint that fails."""
    write_script(hello, script)
    scratch = localep.folder / "scratch"
    scratch.mkdir()
    localep.environ["TMPDIR"] = str(scratch)
    answer = localep.run("create", "-f", "hello/deployment.yml", *arguments)
    assert (answer.status, answer.stdout) == (6, "")
    assert localep.left_behind() == []
    assert list(scratch.iterdir()) == []
    return answer


def seconds_since_the_server_died(localep: Localep, begun: float) -> float:
    """How long ago the one container of a deployment ended by itself."""
    now = time.time()
    labels = localep.names.labels(role="deployment").items()
    wanted = [f"{name}={value}" for name, value in labels]
    events: Any = localep.engine.api.events(  # type: ignore[call-overload]
        since=f"{begun:.6f}",
        until=f"{now:.6f}",
        filters={"label": wanted, "event": "die"},
        decode=True,
    )
    (died,) = events
    return float(now - died["timeNano"] / 1e9)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "import helper\n"
            "def init():\n"
            "    print('loading')\n"
            "    helper.load()\n"
            "def run(raw_data): pass\n",
            HEADER + "Cause: init() failed. RuntimeError: no weights\n" + TRACEBACK + ""
            '    File "/var/azureml-app/code/score.py", line 4, in init\n'
            "      helper.load()\n"
            '    File "/var/azureml-app/code/helper.py", line 2, in load\n'
            '      raise RuntimeError("no weights")\n'
            "  RuntimeError: no weights\n"
            "  Last lines of its output:\n"
            "    loading\n" + ENDED + CORRECT,
            id="init raises in a helper",
        ),
        pytest.param(
            "import sys\ndef init():\n    sys.exit(4)\ndef run(raw_data): pass\n",
            HEADER + "Cause: init() failed. SystemExit: 4\n" + TRACEBACK + ""
            '    File "/var/azureml-app/code/score.py", line 3, in init\n'
            "      sys.exit(4)\n"
            "  SystemExit: 4\n" + ENDED + CORRECT,
            id="sys.exit",
        ),
        pytest.param(
            "import no_such_module\ndef init(): pass\ndef run(raw_data): pass\n",
            HEADER + "Cause: The scoring script could not be imported. "
            "ModuleNotFoundError: No module named 'no_such_module'\n" + TRACEBACK + ""
            '    File "/var/azureml-app/code/score.py", line 1, in <module>\n'
            "      import no_such_module\n"
            "  ModuleNotFoundError: No module named 'no_such_module'\n" + ENDED + ""
            "Remedy: Add the package to the list under `pip:` in the conda file, "
            "or the module to the code folder.\n",
            id="missing package",
        ),
        pytest.param(
            "raise OSError('no licence')\n",
            HEADER + "Cause: The scoring script could not be imported. "
            "OSError: no licence\n" + TRACEBACK + ""
            '    File "/var/azureml-app/code/score.py", line 1, in <module>\n'
            "      raise OSError('no licence')\n"
            "  OSError: no licence\n" + ENDED + CORRECT,
            id="import raises",
        ),
        pytest.param(
            "def init(:\n",
            HEADER + "Cause: The scoring script could not be imported. "
            "SyntaxError: invalid syntax\n" + TRACEBACK + ""
            '    File "/var/azureml-app/code/score.py", line 1\n'
            "      def init(:\n"
            "               ^\n"
            "  SyntaxError: invalid syntax\n" + ENDED + ""
            "Remedy: Correct the line and try again.\n",
            id="syntax error",
        ),
        pytest.param(
            "def run(raw_data): pass\n",
            HEADER + "Cause: The scoring script is not complete. User script at "
            "/var/azureml-app/code/score.py does not have a init() function defined.\n"
            "" + ENDED + CORRECT,
            id="no init()",
        ),
        pytest.param(
            "def init(): pass\n",
            HEADER + "Cause: The scoring script is not complete. User script at "
            "/var/azureml-app/code/score.py does not have a run() function defined.\n"
            "" + ENDED + CORRECT,
            id="no run()",
        ),
        pytest.param(
            "import os\ndef init(): os._exit(3)\ndef run(raw_data): pass\n",
            HEADER + "Cause: Its server's worker ended in init() with exit code 3, "
            "without a message.\n" + EXIT,
            id="os._exit with the code that ends the server",
        ),
    ],
)
def test_the_users_own_traceback_is_shown_as_soon_as_the_server_ends(
    localep: Localep, hello: Path, script: str, expected: str
) -> None:
    (hello / "code" / "helper.py").write_text('def load():\n    raise RuntimeError("no weights")\n')
    begun = time.time()

    assert create(localep, hello, script).stderr == expected

    assert seconds_since_the_server_died(localep, begun) < 5  # 0.5 on an idle machine


@pytest.mark.parametrize(
    ("line", "how", "details", "remedy"),
    [
        pytest.param(
            "os._exit(9)",
            " (exit code 9), without a message",
            "  Last lines of its output:\n    loading\n",
            EXIT,
            id="os._exit",
        ),
        pytest.param(
            "os._exit(0)",
            " (exit code 0), without a message",
            "  Last lines of its output:\n    loading\n",
            EXIT,
            id="os._exit as if all were well",
        ),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)",
            " (SIGKILL), without a message",
            "  Last lines of its output:\n    loading\n",
            "Remedy: The system ends what takes too much memory. "
            "Load less in init(), or give Docker more memory.\n",
            id="killed, as for memory",
        ),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGSEGV)",
            " (SIGSEGV)",
            "  Fatal Python error: Segmentation fault\n"
            '    File "/var/azureml-app/code/score.py", line 4 in init\n'
            "  Last lines of its output:\n"
            "    loading\n",
            "Remedy: Look for a binary package that does not fit this Python or this processor.\n",
            id="a crash",
        ),
    ],
)
def test_a_worker_that_keeps_dying_is_given_up(
    localep: Localep, hello: Path, line: str, how: str, details: str, remedy: str
) -> None:
    script = f"import os, signal\ndef init():\n    print('loading')\n    {line}\n"

    answer = create(localep, hello, f"{script}def run(raw_data): pass\n")

    assert answer.stderr == (
        f"{HEADER}Cause: Its server's worker died 3 times in a row in init(){how}.\n"
        f"{details}{remedy}"
    )


def test_an_init_that_hangs_ends_at_the_time_out(localep: Localep, hello: Path) -> None:
    script = (
        "import threading\n"
        "def init():\n"
        "    print('loading')\n"
        "    threading.Event().wait()\n"
        "def run(raw_data): pass\n"
    )
    begun = time.monotonic()

    answer = create(localep, hello, script, "--timeout", "5")

    assert 5 < time.monotonic() - begun < 15
    assert answer.stderr == (
        f"{HEADER}Cause: It did not answer within 5 s; init() is still at work.\n"
        "  Last lines of its output:\n"
        "    loading\n"
        "Remedy: Give it more time with --timeout, or make init() faster.\n"
    )
