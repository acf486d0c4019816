"""`invoke`: one request to an endpoint, sent once."""

from __future__ import annotations

import json
import mimetypes
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from localep.errors import EndpointAnsweredError, UsageError
from localep.gateway.config import DIRECT_HEADER
from localep.operations.credentials import authorization
from localep.operations.endpoints import find_endpoint
from localep.operations.failed_requests import Refused, explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.operations.failures.answers import Why
    from localep.operations.workplace import Workplace

# Above the longest request_timeout_ms, so that the gateway is the one to end a request.
_CLIENT_TIMEOUT_SECONDS = 200

_REMEDIES = {
    401: "The endpoint's key changed meanwhile; try again.",
    404: "See `localep show -n {endpoint}` for its deployment and traffic.",
    408: "Raise request_settings.request_timeout_ms (at most 180000), or make run() faster.",
    424: "See `localep get-logs -n {endpoint}` for what the scoring script says.",
    429: "Raise request_settings.max_concurrent_requests_per_instance, or send fewer at once.",
}


@dataclass(frozen=True)
class InvokeResult:
    """The answer of an endpoint: the status, the headers, and the body as it came.

    ``why`` is the cause of a failure, None where nothing tells one.
    """

    endpoint: str
    status: int
    reason: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    why: Why | None = None

    def error(self) -> EndpointAnsweredError | None:
        """What to raise after the body is shown, None where the request went well."""
        if self.status < 400:
            return None
        if self.why is not None:
            return EndpointAnsweredError(
                f"The endpoint answered {self.status} {self.reason}.",
                cause=self.why.cause,
                remedy=self.why.found.remedy,
                details=self.why.details,
                code=self.why.found.id,
            )
        cause = None
        container_status = self.headers.get("ms-azureml-model-error-statuscode")
        if container_status:
            cause = f"The scoring container answered {container_status}."
        remedy = _REMEDIES.get(self.status, "See `localep get-logs -n {endpoint}`.")
        if container_status and container_status.startswith("4"):
            remedy = "The answer's body says what is wrong with the request."
        return EndpointAnsweredError(
            f"The endpoint answered {self.status} {self.reason}.",
            cause=cause,
            remedy=remedy.format(endpoint=self.endpoint),
        )


def read_request(file: str) -> tuple[bytes, str]:
    """The body of a request file (``-``: standard input) and its content type."""
    if file == "-":
        body = sys.stdin.buffer.read()
        return body, "application/json" if _is_json(body) else "application/octet-stream"
    try:
        body = Path(file).read_bytes()
    except OSError as error:
        raise UsageError(
            f"The request file {file} cannot be read.",
            cause=f"{error.strerror}.",
            remedy="Check the path given with --request-file.",
        ) from error
    guessed, encoding = mimetypes.guess_type(file)
    if encoding is not None:  # compressed: no longer what the name says before .gz
        guessed = None
    return body, guessed or ("application/json" if _is_json(body) else "application/octet-stream")


def invoke(
    place: Workplace,
    name: str | None,
    body: bytes,
    content_type: str,
    deployment: str | None,
    *,
    direct: bool = False,
) -> InvokeResult:
    """Send one POST to an endpoint, with its key or a token, and never a second time.

    ``direct`` asks for the container's own answer, without the front end's rules.
    """
    endpoint = find_endpoint(place, name)
    headers = {"Content-Type": content_type}
    if direct:
        headers[DIRECT_HEADER] = endpoint.state.probe_token
    elif (opening := authorization(place, endpoint)) is not None:
        headers["Authorization"] = opening
    if deployment is not None:
        headers["azureml-model-deployment"] = deployment
    began = time.time()
    with requests.Session() as session:
        session.trust_env = False  # no proxy, and no login from a .netrc file
        try:
            answer = session.post(
                endpoint.scoring_uri, data=body, headers=headers, timeout=_CLIENT_TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            raise EndpointAnsweredError(
                f"The endpoint {endpoint.name} did not answer.",
                cause=f"Nothing came from {endpoint.scoring_uri}.",
                remedy=f"See `localep show -n {endpoint.name}`: its gateway should run.",
            ) from error
    why = None
    if answer.status_code >= 400:
        refused = Refused(
            status=answer.status_code,
            headers=answer.headers,
            body=answer.content,
            sent_bytes=len(body),
            is_direct=direct,
            began=began,
            ended=time.time(),
        )
        why = explain(place, endpoint, refused)
    return InvokeResult(
        endpoint.name, answer.status_code, answer.reason, answer.content, answer.headers, why
    )


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
