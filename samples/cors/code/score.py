"""Says itself, by headers of its answers, which web pages may use it.

A browser asks by OPTIONS before it sends JSON to another site. The cloud lets no OPTIONS through
to a deployment; a plain GET needs none.
"""

from azureml_inference_server_http.api.aml_request import AMLRequest, rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

HEADERS = {
    "Access-Control-Allow-Origin": "https://www.example.com",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "*",
}


def init():
    pass


@rawhttp
def run(request: AMLRequest):
    if request.method == "OPTIONS":
        body = ""
    elif request.method == "GET":
        body = request.full_path
    else:
        body = request.get_data()
    response = AMLResponse(body, 200)
    response.headers.update(HEADERS)
    return response
