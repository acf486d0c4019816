"""Starts the inference server in the Python of the deployment, which has no localep.

Run as a program, on Python 3.9 or later, in AML_APP_ROOT::

    launcher.py SETTINGS azmlinfsrv --entry_script score.py

SETTINGS is JSON: ``socket`` and ``ready`` are open files, the listening socket and a pipe that
a worker writes to when it is ready; without them, as on Windows, ``host`` is the address to
answer on. ``import_from`` is the folder of the script's own modules; ``keep_clean`` are folders
that get no byte code.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from typing import Any

# Neither Python nor the server ends with it.
SERVER_IS_MISSING = 79
_SERVER = "azureml_inference_server_http"
_SOCKET = 3  # where systemd's protocol has it


def main(arguments: list[str]) -> int:
    """Run the server until it ends."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:] = [path for path in sys.path if path != here]
    if find_spec(_SERVER) is None:
        return SERVER_IS_MISSING
    settings = json.loads(arguments[1])
    sys.argv = arguments[2:]
    # Before AML_APP_ROOT, which the server adds, so that tracebacks name the user's own files.
    sys.path.append(settings["import_from"])
    _keep_clean(tuple(os.path.join(folder, "") for folder in settings["keep_clean"]))  # noqa: PTH118
    server: Any = import_module(f"{_SERVER}.amlserver")
    if "socket" not in settings:
        server.DEFAULT_HOST = settings["host"]
    else:
        ready = _moved_up(settings["ready"])
        _hand_over_socket(settings["socket"])
        _set_up_gunicorn(ready)
    server.run()
    return 0


def _moved_up(number: int) -> int:
    """Another number of an open file, out of the way of systemd's, for this program alone."""
    fcntl = import_module("fcntl")
    moved = int(fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _SOCKET + 1))
    os.close(number)
    return moved


def _hand_over_socket(number: int) -> None:
    if number != _SOCKET:
        os.dup2(number, _SOCKET)
        os.close(number)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))


def _set_up_gunicorn(ready: int) -> None:
    """Have each worker tell when it is ready, and no control socket in the user's home."""
    config: Any = import_module("gunicorn.config")

    def tell(_worker: object) -> None:
        with suppress(BrokenPipeError):  # nobody reads on once the first one is ready
            os.write(ready, b"r")

    config.PostWorkerInit.default = staticmethod(tell)
    if hasattr(config, "ControlSocketDisable"):
        options = os.environ.get("GUNICORN_CMD_ARGS", "")
        os.environ["GUNICORN_CMD_ARGS"] = f"--no-control-socket {options}".rstrip()


def _keep_clean(folders: tuple[str, ...]) -> None:
    """Write no byte code for modules in these folders: they are the user's."""
    loader: Any = SourceFileLoader
    write = loader.set_data

    def set_data(self: object, path: str, data: bytes, **more: object) -> None:
        if not os.path.realpath(path).startswith(folders):
            write(self, path, data, **more)

    loader.set_data = set_data


if __name__ == "__main__":
    sys.exit(main(sys.argv))
