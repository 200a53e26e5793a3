#!/usr/bin/env python3
"""Sends the files of events/ to the functions, under `sam local` or `cargo lambda watch`.

    events.py sam API DATABASE TOKEN API_LOG BUILT_TEMPLATE WORD...
    events.py watch API DATABASE TOKEN

With `sam`, each file is sent through `sam local invoke WORD...` in a container. Files for
routes are also sent as HTTP requests to API, where `sam local start-api` listens, once
with and once without their key. With `watch`, each file is invoked at API, where `cargo
lambda watch` listens. The answers must match tests/fixtures/events.txt. The database is
emptied before each file.

The emulator in the containers starts a function slightly before it listens. A function that
connects too early ends; this happens about once in 300 starts. Lambda itself listens
first. A failure with that line in the log is retried and counted.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

# The job that the files refer to.
JOB = "01KB8D00000000000000000000"
CLIP = "1213000000000000001"

# Number of wrong keys that are allowed.
GUESSES = 5

# How often a start may come before the emulator listens.
EARLY_STARTS = 3


def request(method, url, headers, body=None):
    """The status and body of an answer."""
    data = body.encode() if body is not None else None
    asked = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=300) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def cases():
    """For each file: its name, what must exist before, and the expected field and value.

    A file without a line in the table needs nothing and is answered with 200.
    """
    with open("tests/fixtures/events.txt", encoding="utf-8") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    rows = {name: (given, field, int(value)) for name, given, field, value in filter(None, lines)}
    names = sorted(name.removesuffix(".json") for name in os.listdir("events"))
    usual = ("nothing", "statusCode", 200)
    return [(name, *rows.get(name, usual)) for name in names]


def functions(path):
    """The names of the functions in the template, by folder."""
    from samcli.yamlhelper import yaml_parse

    with open(path, encoding="utf-8") as file:
        resources = yaml_parse(file.read())["Resources"].items()
    return {
        os.path.basename(resource["Properties"]["CodeUri"]): name
        for name, resource in resources
        if resource["Type"] == "AWS::Serverless::Function"
    }


def was_early(log):
    """Whether a function tried to connect before the emulator listened."""
    # The tool may lose the beginning of the line, which names the emulator's address.
    is_emulator = "127.0.0.1:9001" in log or "Runtime exited with error" in log
    return is_emulator and "Connection refused" in log


class Failed(Exception):
    """An unexpected answer. The text is for people."""


class System:
    """What both tools have in common. `functions` maps folders to the tool's names."""

    def __init__(self, api, database, token, functions):
        self.api, self.database, self.token = api, database, token
        self.functions = functions
        self.n_answers = 0
        self.failures = []

    def prepare(self, given):
        """Empties the database except for what is given, and returns the ID of the job in it."""
        key = {"authorization": f"Bearer {self.token}"}
        status, answer = request("POST", f"{self.database}/flushdb", key)
        expect(status, 200, answer)
        if given in ("nothing", "guessed"):
            return JOB
        if given == "exported":
            status, answer = self.send(load("clips-http-create-export", JOB))
            expect(status, 202, answer)
            self.invoke("drain", load("drain-schedule", JOB))
            return json.loads(answer)["exportId"]
        if given == "upload":
            return self.upload()
        if given == "guild":
            status, answer = self.send(load("enqueue-http-guild", JOB))
            expect(status, 202, answer)
            return json.loads(answer)["scanId"]
        event = load("enqueue-http-scan", JOB)
        # Few enough that a drainer scans them in a moment.
        scan = json.loads(event["body"]) | {"options": {"maxMessages": 200}}
        status, answer = self.send(event | {"body": json.dumps(scan)})
        expect(status, 202, answer)
        job = json.loads(answer)["jobId"]
        if given == "cancelled":
            status, answer = self.send(load("jobs-http-cancel", job))
            expect(status, 202, answer)
        return job

    def load(self, name, given):
        """The event, with what was prepared for it."""
        event = load(name, self.prepare(given))
        if given != "scanned":
            return event
        self.invoke("drain", load("drain-schedule", JOB))
        status, answer = self.send(load("clips-http-list", JOB))
        expect(status, 200, answer)
        clips = json.loads(answer)["clips"]
        uploaded = next(clip["id"] for clip in clips if not clip["id"].startswith("e"))
        return json.loads(json.dumps(event).replace(CLIP, uploaded))

    def upload(self):
        """Uploads a file of two bytes, and returns the ID of the upload."""
        event = load("uploads-http-begin", JOB)
        begun = json.loads(event["body"]) | {"sizeBytes": 2}
        status, answer = self.send(event | {"body": json.dumps(begun)})
        expect(status, 201, answer)
        upload = json.loads(answer)["uploadId"]
        status, answer = self.send(load("uploads-http-store", upload))
        expect(status, 204, answer)
        return upload

    def send(self, event, signed=True):
        """The HTTP request that becomes this event in a gateway."""
        kept = ("authorization", "content-type", "idempotency-key")
        headers = {name: text for name, text in event["headers"].items() if name in kept}
        if not signed:
            del headers["authorization"]
        if event.get("cookies"):
            headers["cookie"] = "; ".join(event["cookies"])
        query = event["rawQueryString"]
        url = self.api + event["rawPath"] + (f"?{query}" if query else "")
        method = event["requestContext"]["http"]["method"]
        return self.ask(method, url, headers, event.get("body"))

    def ask(self, method, url, headers, body):
        return request(method, url, headers, body)

    def check(self, function, name, how, step):
        """Prints one line of the table. `step` returns what to show of the answer."""
        began = time.monotonic()
        try:
            shown = step()
        except Failed as failure:
            shown = "FAILED"
            self.failures.append(f"{name}, {how}: {failure}")
        took = time.monotonic() - began
        self.n_answers += 1
        print(f"{function:14} {name:36} {how:12} {shown:15} {took:5.1f} s", flush=True)

    def run(self, name, given, field, value):
        function = max((f for f in self.functions if name.startswith(f + "-")), key=len)

        def invoked():
            event = self.load(name, given)
            for _ in range(GUESSES if given == "guessed" else 0):
                expect(self.invoke(function, event).get(field), 401, "a guess")
            answer = self.invoke(function, event)
            expect(answer.get(field), value, answer)
            return f"{field} {value}"

        self.check(function, name, "invoke", invoked)

    def note(self):
        """An addition to the last line."""
        return ""


class Sam(System):
    def __init__(self, api, database, token, api_log, template, *words):
        super().__init__(api, database, token, functions(template))
        self.api_log, self.words = api_log, words
        self.n_early = 0

    def ask(self, method, url, headers, body):
        known = os.path.getsize(self.api_log)
        status, answer = request(method, url, headers, body)
        for _ in range(EARLY_STARTS):
            if status != 502 or not was_early(self.logged(known)):
                break
            self.n_early += 1
            known = os.path.getsize(self.api_log)
            status, answer = request(method, url, headers, body)
        return status, answer

    def logged(self, known):
        """What the gateway has logged beyond the known bytes."""
        with open(self.api_log, "rb") as file:
            file.seek(known)
            return file.read().decode(errors="replace")

    def invoke(self, function, event):
        """The answer of `sam local invoke`, which succeeds even if the function fails."""
        command = ["sam", "local", "invoke", self.functions[function], "--event", "-", *self.words]

        def run():
            return subprocess.run(command, input=json.dumps(event), capture_output=True, text=True)

        ended = run()
        for _ in range(EARLY_STARTS):
            if not was_early(ended.stderr):
                break
            self.n_early += 1
            ended = run()
        log = ended.stderr[-3000:]
        if ended.returncode or "timed out after" in ended.stderr:
            raise Failed(f"it ended with {ended.returncode}\n{log}")
        try:
            answer = json.loads(ended.stdout)
        except ValueError:
            raise Failed(f"it answered no JSON: {ended.stdout}\n{log}") from None
        if "errorType" in answer or "errorMessage" in answer:
            raise Failed(f"it failed: {ended.stdout}\n{log}")
        return answer

    def run(self, name, given, field, value):
        if name == "clips-http-play":
            # Links are played over TLS, or from this machine. A container sees the sample
            # server's CDN as neither.
            value = 409
        super().run(name, given, field, value)
        if "-http-" not in name:
            return
        function = max((f for f in self.functions if name.startswith(f + "-")), key=len)

        def asked(signed, status):
            event = self.load(name, given)
            for _ in range(GUESSES if given == "guessed" else 0):
                expect(self.send(event, signed)[0], 401, "a guess")
            found, answer = self.send(event, signed)
            expect(found, status, answer)
            return str(status)

        self.check(function, name, "request", lambda: asked(True, value))
        if value < 400 and "authorization" in load(name, JOB)["headers"]:
            self.check(function, name, "without key", lambda: asked(False, 401))

    def note(self):
        return f"; {self.n_early} tried again" if self.n_early else ""


class Watch(System):
    def __init__(self, api, database, token):
        super().__init__(api, database, token, {name: name for name in os.listdir("functions")})

    def invoke(self, function, event):
        """Does what `cargo lambda invoke` does, without a process for each event."""
        url = f"{self.api}/2015-03-31/functions/{self.functions[function]}/invocations"
        status, answer = request("POST", url, {"content-type": "application/json"}, json.dumps(event))
        expect(status, 200, answer)
        return json.loads(answer)


def load(name, job):
    with open(f"events/{name}.json", encoding="utf-8") as file:
        return json.loads(file.read().replace(JOB, job))


def expect(found, expected, answer):
    if found != expected:
        raise Failed(f"expected {expected}, found {found}: {answer}")


def main():
    began = time.monotonic()
    tool, *words = sys.argv[1:]
    system = {"sam": Sam, "watch": Watch}[tool](*words)
    # A caller with too many wrong keys is refused for a while, also by a container that is kept.
    for case in sorted(cases(), key=lambda case: case[1] == "guessed"):
        system.run(*case)
    for failure in system.failures:
        print(f"\n{failure}", file=sys.stderr)
    took = time.monotonic() - began
    print(f"{system.n_answers} answers in {took:.0f} s, {len(system.failures)} wrong{system.note()}")
    sys.exit(bool(system.failures))


if __name__ == "__main__":
    main()
