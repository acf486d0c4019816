"""Looks at an image, uploaded by a form or sent as it is, and paints one for GET.

@rawhttp hands run() the request itself; AMLResponse answers with any bytes, status and headers.
Inside the inference server both are its own; the package azureml-contrib-services lets this script
be imported elsewhere, too.
"""

import io
import json

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse
from PIL import Image, ImageStat, UnidentifiedImageError


def init():
    pass


@rawhttp
def run(request: AMLRequest):
    if request.method == "GET":
        return paint(request.args.get("color", "white"))
    if request.method == "POST":
        upload = request.files.get("image")
        return describe(upload.read() if upload else request.get_data())
    return AMLResponse("Send an image by POST.", 405, {"Allow": "GET, POST"})


def paint(color):
    try:
        image = Image.new("RGB", (8, 8), color)
    except ValueError as error:
        return AMLResponse({"message": str(error)}, 400, json_str=True)
    content = io.BytesIO()
    image.save(content, "PNG")
    return AMLResponse(content.getvalue(), 200, {"Content-Type": "image/png"})


def describe(content):
    try:
        image = Image.open(io.BytesIO(content))
        mean = ImageStat.Stat(image.convert("L")).mean[0]
    except UnidentifiedImageError:
        return AMLResponse({"message": "This is no image."}, 400, json_str=True)
    print(f"looked at {len(content)} bytes")
    answer = {"format": image.format, "size": image.size, "brightness": round(mean, 1)}
    return AMLResponse(json.dumps(answer), 200, {"Content-Type": "application/json"})
