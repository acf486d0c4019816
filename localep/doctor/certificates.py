"""Which certificate authorities a build trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from localep.doctor.facts import Facts


def check_certificates(facts: Facts) -> Finding:
    """They matter where a company's proxy looks into TLS."""
    if facts.ca_bundle is not None:
        return Finding("certificates", Severity.OK, f"Builds trust those of {facts.ca_bundle}.")
    return Finding(
        "certificates",
        Severity.NOTE,
        "No file with certificate authorities is found; builds trust those of their own image.",
        "Where TLS is intercepted, name the file in SSL_CERT_FILE or REQUESTS_CA_BUNDLE.",
    )
