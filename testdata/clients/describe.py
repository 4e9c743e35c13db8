"""Writes the description of the server's interfaces as schemathesis wants it.

OpenAPI 3.1 has no words for the events of a stream; the description has their schemas under x-event. 3.2 has words, but few tools
read it yet. Schemathesis does, so that it checks every event.
"""

import json
import os
import sys
import urllib.request

request = urllib.request.Request(os.environ["GLMC_URL"] + "/openapi.json", headers={"Authorization": "Bearer " + os.environ["GLMC_KEY"]})
with urllib.request.urlopen(request) as response:
    document = json.load(response)

document["openapi"] = "3.2.0"
for path in document["paths"].values():
    for operation in path.values():
        stream = operation.get("responses", {}).get("200", {}).get("content", {}).get("text/event-stream")
        if stream:
            data = {"contentMediaType": "application/json", "contentSchema": stream.pop("x-event")}
            stream["itemSchema"] = {"type": "object", "properties": {"data": {"anyOf": [{"const": "[DONE]"}, data]}}}
            del stream["schema"]

json.dump(document, sys.stdout)
