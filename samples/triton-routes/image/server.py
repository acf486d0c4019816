"""Answers on the routes of the Open Inference Protocol, as Triton does, for y = a x + b."""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPOSITORY = Path(sys.argv[1])
MODELS = {path.parent.name: json.loads(path.read_text()) for path in REPOSITORY.glob("*/line.json")}


def infer(name, request):
    """The answer to an inference request for one of the models."""
    (tensor,) = request["inputs"]
    model = MODELS[name]
    values = [model["a"] * value + model["b"] for value in tensor["data"]]
    output = {"name": "y", "shape": tensor["shape"], "datatype": tensor["datatype"], "data": values}
    return {"model_name": name, "outputs": [output]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path in {"/v2/health/live", "/v2/health/ready"}:
            self.answer(200)
        elif match := re.fullmatch(r"/v2/models/(\w+)", self.path):
            name = match.group(1)
            known = name in MODELS
            self.answer(200 if known else 404, {"name": name, "platform": "line"} if known else {})
        else:
            self.answer(404, {"error": f"no route {self.path}"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match = re.fullmatch(r"/v2/models/(\w+)/infer", self.path)
        if match is None or match.group(1) not in MODELS:
            self.answer(404, {"error": f"no route {self.path}"})
            return
        try:
            result = infer(match.group(1), json.loads(body))
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": f"not an inference request: {error!r}"})
        else:
            self.answer(200, result)

    def answer(self, status, value=None):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    print(f"models: {', '.join(sorted(MODELS))}")
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
