"""A server of one's own: counts the words of a text that the model knows."""

import argparse
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WORDS = set(Path(os.environ["AZUREML_MODEL_DIR"], "model", "words.txt").read_text().split())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        known = self.path in {"/alive", "/ready"}
        self.answer(200 if known else 404, {"status": "ready"} if known else {"error": "no route"})

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/words:count":
            self.answer(404, {"error": f"no route {self.path}"})
            return
        try:
            words = json.loads(text)["text"].lower().split()
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": f"expected a text: {error}"})
            return
        counts = {word: words.count(word) for word in sorted(WORDS & set(words))}
        self.answer(200, {"greeting": os.environ["GREETING"], "counts": counts})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    print(f"{len(WORDS)} words, listening on port {port}")
    ThreadingHTTPServer(("", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
