"""Answers as many numbers and their squares as are asked for, each as soon as it is made.

What a generator yields is sent at once, so an answer may be larger than the memory and last as
long as its client stays. Whatever it needs of the request is read before it starts.
"""

import json

from azureml_inference_server_http.api.aml_request import AMLRequest, rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse


def init():
    pass


@rawhttp
def run(request: AMLRequest):
    count = request.get_json()["count"]
    kind = request.accept_mimetypes.best_match(["application/x-ndjson", "text/csv"])
    if kind == "text/csv":
        table = "number,square\n" + "".join(f"{n},{n * n}\n" for n in range(count))
        return AMLResponse(table, 200, {"Content-Type": "text/csv; charset=utf-8"})
    return AMLResponse(squares(count), 200, {"Content-Type": "application/x-ndjson"})


def squares(count):
    made = 0
    try:
        for made in range(1, count + 1):
            yield json.dumps({"number": made - 1, "square": (made - 1) ** 2}) + "\n"
    finally:  # also where the client leaves
        print(f"made {made} of {count}")
