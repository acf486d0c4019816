"""localep doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.cli import options
from localep.cli.output import Format, Output
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.operations.doctor import DoctorResult


def doctor(form: options.OutputFormat = Format.HUMAN, query: options.Query = None) -> int:
    """Tell what on this machine helps or hinders localep."""
    from localep.cli.session import open_workplace
    from localep.errors import EngineError
    from localep.operations.doctor import doctor as run

    output = Output(form, query)
    try:
        result = run(open_workplace(output))
    except EngineError as error:
        result = run(error)
    output.result(result.to_dict(), lambda: _report(result))
    return ExitCode.OK if result.is_well else ExitCode.ENGINE


def _report(result: DoctorResult) -> Iterator[str]:
    for finding in result.findings:
        yield f"{finding.severity.value:<9}{finding.check:<14}{finding.message}"
        if finding.remedy is not None:
            fix = f" `{finding.fix}`" if finding.fix is not None else ""
            yield f"{'':<23}{finding.remedy}{fix}"
