"""What the inference server shows of a script's own logging: by default no more than print()."""

from __future__ import annotations

from localep.resources import render_template

# The server looks for it in AML_APP_ROOT.
LOGGING_FILE = "logging.json"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def logging_config(level: str) -> str:
    """The logging.json that shows all records of a level and above on standard output.

    ``level`` is one of LOG_LEVELS. The server's and gunicorn's own lines stay as they are.
    """
    return render_template("logging.json.j2", level=level)
