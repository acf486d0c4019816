"""Whether a build gets packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from localep.doctor.facts import Facts

_REMEDIES = {
    "certificate": "Name your network's certificate authorities in SSL_CERT_FILE or "
    "REQUESTS_CA_BUNDLE; localep gives them to builds.",
    "lookup address": "Give the engine a name server that answers: `dns` in its daemon.json.",
}
_OTHERWISE = "Check the proxy variables, and the index that pip or uv is told of."


def check_index(facts: Facts) -> Finding | None:
    """Environments that are there work without; new ones do not."""
    if facts.index is None:
        return None
    failure = facts.index.failure
    if failure is None:
        return Finding("index", Severity.OK, "The package index answers from inside a container.")
    remedy = next((text for word, text in _REMEDIES.items() if word in failure), _OTHERWISE)
    message = f"The package index does not answer from inside a container: {failure}"
    return Finding("index", Severity.WARNING, message, remedy)
