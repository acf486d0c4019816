"""Takes as long as the request says, as a slow model would.

A worker does one request at a time, so WORKER_COUNT and max_concurrent_requests_per_instance go
together; a request that takes longer than request_timeout_ms is answered with 408.
"""

import json
import os
import time


def init():
    pass


def run(raw_data):
    seconds = json.loads(raw_data)["seconds"]
    begin = time.time()
    time.sleep(seconds)
    print(f"worked for {seconds:g} s")
    return {"worker": os.getpid(), "begin": begin, "end": time.time()}
