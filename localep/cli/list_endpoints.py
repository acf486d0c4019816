"""localep list."""

from __future__ import annotations

from localep.cli import options
from localep.cli.output import Format, Output, print_table


def list_endpoints(form: options.OutputFormat = Format.HUMAN, query: options.Query = None) -> None:
    """List the endpoints."""
    from localep.cli.session import open_workplace
    from localep.operations.show import list_endpoints as run

    output = Output(form, query)
    endpoints = run(open_workplace(output))
    if output.form is Format.HUMAN and endpoints:
        rows = [
            [
                endpoint.name,
                endpoint.provisioning_state,
                ", ".join(deployment.name for deployment in endpoint.deployments),
                ", ".join(deployment.status for deployment in endpoint.deployments),
                endpoint.scoring_uri,
            ]
            for endpoint in endpoints
        ]
        print_table(["NAME", "STATE", "DEPLOYMENT", "STATUS", "SCORING URI"], rows)
        return
    data = [endpoint.to_dict() for endpoint in endpoints]
    output.result(data, lambda: ["There is no endpoint."])
