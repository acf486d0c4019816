"""Scripts that do not get ready: the reason is shown, and nothing is left behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.engine import Answer, Localep, write_script

HEADER = "Error: The deployment did not get ready.\n"


def create(localep: Localep, hello: Path, script: str, *arguments: str) -> Answer:
    write_script(hello, script)
    answer = localep.run("create", "-f", "hello/deployment.yml", *arguments)
    assert (answer.status, answer.stdout) == (6, "")
    assert localep.left_behind() == []
    return answer


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "import helper\ndef init(): helper.load()\ndef run(raw_data): pass\n",
            HEADER + "Cause: init() failed. RuntimeError: no weights\n"
            "  Traceback (most recent call last):\n"
            '    File "/var/azureml-app/code/score.py", line 2, in init\n'
            "      def init(): helper.load()\n"
            "                  ^^^^^^^^^^^^^\n"
            '    File "/var/azureml-app/code/helper.py", line 2, in load\n'
            '      raise RuntimeError("no weights")\n'
            "  RuntimeError: no weights\n"
            "Remedy: Correct score.py and try again.\n",
            id="init raises",
        ),
        pytest.param(
            "import sys\ndef init():\n    sys.exit(4)\ndef run(raw_data): pass\n",
            HEADER + "Cause: init() failed. SystemExit: 4\n"
            "  Traceback (most recent call last):\n"
            '    File "/var/azureml-app/code/score.py", line 3, in init\n'
            "      sys.exit(4)\n"
            "  SystemExit: 4\n"
            "Remedy: Correct score.py and try again.\n",
            id="sys.exit",
        ),
        pytest.param(
            "import no_such_module\ndef init(): pass\ndef run(raw_data): pass\n",
            HEADER + "Cause: The scoring script could not be imported. "
            "ModuleNotFoundError: No module named 'no_such_module'\n"
            "  Traceback (most recent call last):\n"
            '    File "/var/azureml-app/code/score.py", line 1, in <module>\n'
            "      import no_such_module\n"
            "  ModuleNotFoundError: No module named 'no_such_module'\n"
            "Remedy: Add the package to the list under `pip:` in the conda file, "
            "or the module to the code folder.\n",
            id="missing package",
        ),
        pytest.param(
            "def init(:\n",
            HEADER + "Cause: The scoring script could not be imported. "
            "SyntaxError: invalid syntax\n"
            "  Traceback (most recent call last):\n"
            '    File "/var/azureml-app/code/score.py", line 1\n'
            "      def init(:\n"
            "               ^\n"
            "  SyntaxError: invalid syntax\n"
            "Remedy: Correct the line and try again.\n",
            id="syntax error",
        ),
        pytest.param(
            "def init(): pass\n",
            HEADER + "Cause: The scoring script is not complete. User script at "
            "/var/azureml-app/code/score.py does not have a run() function defined.\n"
            "Remedy: Correct score.py and try again.\n",
            id="no run()",
        ),
    ],
)
def test_the_users_own_traceback_is_shown(
    localep: Localep, hello: Path, script: str, expected: str
) -> None:
    (hello / "code" / "helper.py").write_text('def load():\n    raise RuntimeError("no weights")\n')

    assert create(localep, hello, script).stderr == expected


def test_a_worker_that_keeps_dying_is_given_up(localep: Localep, hello: Path) -> None:
    answer = create(localep, hello, "import os\ndef init(): os._exit(9)\ndef run(raw_data): pass\n")

    assert answer.stderr.startswith(
        HEADER + "Cause: Its server's worker died 3 times in a row (exit code 9), "
        "without a message.\n"
    )
    assert answer.stderr.endswith(
        "Remedy: Look for os._exit, a crash in a binary package, or too little memory.\n"
    )


def test_an_init_that_hangs_ends_at_the_time_out(localep: Localep, hello: Path) -> None:
    begun = time.monotonic()
    answer = create(
        localep,
        hello,
        "import threading\ndef init(): threading.Event().wait()\ndef run(raw_data): pass\n",
        *("--timeout", "2"),
    )

    assert time.monotonic() - begun < 6
    assert answer.stderr.startswith(
        HEADER + "Cause: It did not answer within 2 s; init() may still be at work.\n"
    )
