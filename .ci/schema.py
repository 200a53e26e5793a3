#!/usr/bin/env python3
"""The development host held to its own OpenAPI document, by schemathesis.

    schema.py SCHEMATHESIS URL KEY FOLDER

Signed in with the admin key. No reply may be a server's fault or another than the
document promises, and each operation has to have succeeded at least once: what random
requests do not come upon (ids of jobs in the right state) is made first and given to it.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request

GUILD = "1212912186163200000"
CHANNEL = "1212942385152000000"
METHODS = ("get", "put", "post", "patch", "delete")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
# Requests for each operation and phase.
EXAMPLES = 25


class Host:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def request(self, method, path, body=None):
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        asked = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer) if answer.status != 204 else None

    def job(self, kind="message"):
        """A job that waits for as long as this takes: the queue is paused."""
        body = {"type": kind, "guildId": GUILD, "channelId": CHANNEL}
        body |= {"messageIds": ["1212942385152000001"]} if kind == "message" else {}
        return self.request("POST", "/api/jobs", body)["jobs"][0]["jobId"]


def parameters(host):
    """Each operation's own, by its id; those of "" are everybody's."""
    # A drainer would finish them.
    host.request("POST", "/api/admin/queues/scan/pause")
    given = {
        "": {"guildId": GUILD, "channelId": CHANNEL, "name": "scan"},
        "getJob": {"jobId": host.job()},
        "cancelJob": {"jobId": host.job()},
        "retryJob": {"jobId": host.job()},
        "followScan": {"scanId": host.job()},
        "getFlag": {"name": "scans-off"},
        # Switched on, it would have scans refused.
        "putFlag": {"name": "scans-off", "body.on": False, "body.percent": 0, "body.allow": []},
        "signIn": {"body.key": host.key},
    }
    host.request("DELETE", f"/api/jobs/{given['retryJob']['jobId']}")
    return given


def write_settings(path, given):
    def table(values):
        named = {n if "." in n else f"path.{n}": v for n, v in values.items()}
        return ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in named.items())

    lines = [f"parameters = {{ {table(given[''])} }}"]
    for operation, values in given.items():
        if operation:
            both = table(given[""] | values)
            lines += ["[[operations]]", f'include-operation-id = "{operation}"', f"parameters = {{ {both} }}"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def unsuccessful(document, har):
    """The operations no request of the report succeeded at."""
    left = {}
    for path, item in document["paths"].items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/?]+", path))
        left |= {(m.upper(), pattern): item[m]["operationId"] for m in METHODS if m in item}
    for entry in har["log"]["entries"]:
        method, url, status = entry["request"]["method"], entry["request"]["url"], entry["response"]["status"]
        path = "/" + url.split("//", 1)[1].split("/", 1)[1].split("?")[0]
        if 200 <= status < 300:
            left = {k: v for k, v in left.items() if k[0] != method or not k[1].fullmatch(path)}
    return sorted(left.values())


# What these show must be made first: a clip, an export, an upload or a scan of a guild. The
# event files have a successful request for each, which `events.py` sends.
PREPARED = {
    "getClip",
    "getClipFile",
    "getExport",
    "getExportPart",
    "getGuildScan",
    "putUploadPart",
    "scanUpload",
}


def main():
    schemathesis, url, key, folder = sys.argv[1:]
    folder = os.path.abspath(folder)
    os.makedirs(folder, exist_ok=True)
    host = Host(url, key)
    document = host.request("GET", "/openapi.json")
    settings, report = f"{folder}/schemathesis.toml", f"{folder}/report.har"
    write_settings(settings, parameters(host))
    command = [schemathesis, "--config-file", settings, "run", f"{url}/openapi.json"]
    command += ["--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS)]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)]
    command += ["--continue-on-failure", "--report", "har", "--report-har-path", report]
    # It keeps what it found beside where it runs.
    if subprocess.run(command, check=False, cwd=folder).returncode:
        sys.exit("schemathesis found what is not as the document says")
    with open(report, encoding="utf-8") as file:
        left = unsuccessful(document, json.load(file))
    left = [name for name in left if name not in PREPARED]
    if left:
        sys.exit(f"no request succeeded at: {', '.join(left)}")
    n_operations = sum(method in METHODS for item in document["paths"].values() for method in item)
    print(f"each of {n_operations} operations succeeded")


if __name__ == "__main__":
    main()
