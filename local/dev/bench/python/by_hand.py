"""Does what Lambda's Python runtime does with a handler, on systems where it has no wheel."""

import http.client
import json
import os

from handler import handle

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
path = "/2018-06-01/runtime/invocation"
while True:
    api.request("GET", f"{path}/next")
    event = api.getresponse()
    invocation = event.getheader("lambda-runtime-aws-request-id")
    answer = json.dumps(handle(json.load(event), None))
    api.request("POST", f"{path}/{invocation}/response", answer)
    api.getresponse().read()
