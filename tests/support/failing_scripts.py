"""Scripts that do not get ready, and what is told of each, with Docker and without.

``CODE`` stands in the texts for the folder of the code.
"""

from __future__ import annotations

import pytest

CODE = "/var/azureml-app/code"
HEADER = "Error: The deployment did not get ready.\n"
TRACEBACK = "  Traceback (most recent call last):\n"
ENDED = "  The server ended with exit code 3.\n"
CRASHED = "the cloud says `User container has crashed or terminated: Liveness probe failed … 502`"
RAISED = "init-raises; the cloud says `UserScriptInitFailed`"
NOT_IMPORTED = f"import-error; {CRASHED}"
INCOMPLETE = "init-or-run-missing; the cloud says `UserScriptFunctionNotFound`"
CORRECT = "Remedy: Correct score.py and try again.\n"
EXIT = "Remedy: Look for os._exit in the script and in what it imports.\n"

HELPER = 'def load():\n    raise RuntimeError("no weights")\n'
# The script, and all that is told of it; it has HELPER beside it as helper.py.
FAILURES = [
    pytest.param(
        "import helper\n"
        "def init():\n"
        "    print('loading')\n"
        "    helper.load()\n"
        "def run(raw_data): pass\n",
        HEADER + f"Cause: init() failed ({RAISED}). RuntimeError: no weights\n" + TRACEBACK + ""
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
        HEADER + f"Cause: init() failed ({RAISED}). SystemExit: 4\n" + TRACEBACK + ""
        '    File "/var/azureml-app/code/score.py", line 3, in init\n'
        "      sys.exit(4)\n"
        "  SystemExit: 4\n" + ENDED + CORRECT,
        id="sys.exit",
    ),
    pytest.param(
        "import no_such_module\ndef init(): pass\ndef run(raw_data): pass\n",
        HEADER + f"Cause: The scoring script could not be imported ({NOT_IMPORTED}). "
        "ModuleNotFoundError: No module named 'no_such_module'\n" + TRACEBACK + ""
        '    File "/var/azureml-app/code/score.py", line 1, in <module>\n'
        "      import no_such_module\n"
        "  ModuleNotFoundError: No module named 'no_such_module'\n" + ENDED + ""
        "Remedy: Add the package that has no_such_module to the list under `pip:` in the "
        "conda file, or the module to the code folder.\n",
        id="missing package",
    ),
    pytest.param(
        "raise OSError('no licence')\n",
        HEADER + f"Cause: The scoring script could not be imported ({NOT_IMPORTED}). "
        "OSError: no licence\n" + TRACEBACK + ""
        '    File "/var/azureml-app/code/score.py", line 1, in <module>\n'
        "      raise OSError('no licence')\n"
        "  OSError: no licence\n" + ENDED + CORRECT,
        id="import raises",
    ),
    pytest.param(
        "def init(:\n",
        HEADER + "Cause: The scoring script could not be imported (syntax-error; the cloud says "
        "`syntax errors in scoring script`). SyntaxError: invalid syntax\n" + TRACEBACK + ""
        '    File "/var/azureml-app/code/score.py", line 1\n'
        "      def init(:\n"
        "               ^\n"
        "  SyntaxError: invalid syntax\n" + ENDED + ""
        "Remedy: Correct the line and try again.\n",
        id="syntax error",
    ),
    pytest.param(
        "def run(raw_data): pass\n",
        HEADER + f"Cause: The scoring script is not complete ({INCOMPLETE}). User script at "
        "/var/azureml-app/code/score.py does not have a init() function defined.\n"
        "" + ENDED + CORRECT,
        id="no init()",
    ),
    pytest.param(
        "def init(): pass\n",
        HEADER + f"Cause: The scoring script is not complete ({INCOMPLETE}). User script at "
        "/var/azureml-app/code/score.py does not have a run() function defined.\n"
        "" + ENDED + CORRECT,
        id="no run()",
    ),
    pytest.param(
        "import os\ndef init(): os._exit(3)\ndef run(raw_data): pass\n",
        HEADER + "Cause: Its server's worker ended in init() with exit code 3, "
        f"without a message (native-crash; {CRASHED}).\n" + EXIT,
        id="os._exit with the code that ends the server",
    ),
]

# A line of init() that ends the worker: how it died, what else is told, and the remedy.
DEATHS = [
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
]


def script_that_dies(line: str) -> str:
    """A script whose worker never gets past a line of init()."""
    return (
        f"import os, signal\ndef init():\n    print('loading')\n    {line}\n"
        "def run(raw_data): pass\n"
    )


def death_text(how: str, details: str, remedy: str) -> str:
    """All that is told of it."""
    return (
        f"{HEADER}Cause: Its server's worker died 3 times in a row in init(){how} "
        f"(native-crash; {CRASHED}).\n"
        f"{details}{remedy}"
    )


SCRIPT_THAT_HANGS = (
    "import threading\n"
    "def init():\n"
    "    print('loading')\n"
    "    threading.Event().wait()\n"
    "def run(raw_data): pass\n"
)


def hanging_text(seconds: int) -> str:
    """All that is told of it after its time."""
    return (
        f"{HEADER}Cause: It did not answer within {seconds} s; init() is still at work "
        "(init-too-slow).\n"
        "  Last lines of its output:\n"
        "    loading\n"
        "Remedy: Give it more time with --timeout, or make init() faster.\n"
    )
