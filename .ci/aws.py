#!/usr/bin/env python3
"""The calls to AWS services, compared with botocore and tried against moto.

    aws.py vectors             print tests/fixtures/aws-signatures.json
    aws.py calls FUNCTION      run functions against moto; FUNCTION is the program that is
                               every function, by its first argument

`vectors` lets botocore resolve the address and sign each request that ours are compared with,
so the file changes only with botocore or with the list of cases.

`calls` starts a server of moto and a proxy in front of it, which signs each request again
with botocore and compares. A function reads its keys from there when it starts, answers a
request for a scan, and invokes the drainer.
"""

import datetime
import http.server
import json
import os
import queue
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from unittest import mock

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:trawl-prod-drain:live"
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SESSION = "IQoJb3JpZ2luX2VjE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="

# Region, the function's name or ARN, the parameters' names, the moment, the session's token.
CASES = [
    ("us-east-1", "trawl-prod-drain", ["/trawl/prod/api-key"], 1_764_547_200_000, SESSION),
    ("eu-central-1", ARN, ["/trawl/prod/api-key", "/trawl/prod/upstash-token"], 0, None),
    ("cn-north-1", "drain:live", ["a b", "schlüssel", '"quoted"'], 951_782_399_999, SESSION),
    ("eusc-de-east-1", f"{ACCOUNT}:drain", ["a" * 1011], 4_102_444_799_000, None),
]


def sign(service, region, url, headers, body, moment, session):
    """The headers botocore's signature adds."""
    request = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    credentials = Credentials(*KEYS, token=session)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: moment):
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    added = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
    return {name.lower(): request.headers[name] for name in added if name in request.headers}


def prepared(service, region, operation, **words):
    """The address and the body botocore's own client would send."""
    seen = []

    def stop(request, **_):
        seen.append(request)
        raise InterruptedError

    session = botocore.session.Session()
    session.set_credentials(*KEYS)
    client = session.create_client(service, region_name=region)
    client.meta.events.register("before-send", stop)
    try:
        getattr(client, operation)(**words)
    except InterruptedError:
        return seen[0].url, seen[0].body
    raise AssertionError("nothing was sent")


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()


def vectors():
    rows = []
    for region, function, names, now_ms, session in CASES:
        moment = datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC)
        body = compact({"source": "trawl.enqueue"})
        url, sent = prepared(
            "lambda", region, "invoke", FunctionName=function, InvocationType="Event", Payload=body
        )
        assert sent == body, sent
        headers = {"content-type": "application/json", "x-amz-invocation-type": "Event"}
        invoke = {"url": url, "headers": sign("lambda", region, url, headers, body, moment, session)}

        body = compact({"Names": names, "WithDecryption": True})
        url, sent = prepared("ssm", region, "get_parameters", Names=names, WithDecryption=True)
        assert json.loads(sent) == json.loads(body), sent
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "AmazonSSM.GetParameters",
        }
        read = {"url": url, "headers": sign("ssm", region, url, headers, body, moment, session)}
        given = {"region": region, "function": function, "names": names, "nowMs": now_ms}
        rows.append(given | {"session": session, "invoke": invoke, "read": read})
    document = {"accessKeyId": KEYS[0], "secretAccessKey": KEYS[1], "cases": rows}
    document["endpoints"] = endpoints()
    print(json.dumps(document, indent=1, ensure_ascii=False))


def endpoints():
    """Of every region botocore knows."""
    session = botocore.session.Session()
    regions = set()
    for partition in session.get_available_partitions():
        regions |= set(session.get_available_regions("ssm", partition))
    found = {}
    for region in sorted(regions):
        client = session.create_client("ssm", region_name=region, aws_access_key_id="a",
                                       aws_secret_access_key="b")
        found[region] = client.meta.endpoint_url
    return found


class Checker(http.server.BaseHTTPRequestHandler):
    """Signs each request again, compares, and passes it on."""

    upstream = None
    calls = []
    mistakes = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        given = self.headers["authorization"]
        scope = given.split("Credential=")[1].split(",")[0].split("/")
        names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        computed = ("host", "x-amz-date", "x-amz-security-token")
        headers = {name: self.headers[name] for name in names if name not in computed}
        moment = datetime.datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        url = f"http://{self.headers['host']}{self.path}"
        again = sign(scope[3], scope[2], url, headers, body, moment,
                     self.headers["x-amz-security-token"])["authorization"]
        # Neither is where the other has a space.
        if again.replace(" ", "") != given.replace(" ", ""):
            self.mistakes.append(f"{self.path}: {given} is not botocore's {again}")
        age = abs((datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - moment).total_seconds())
        if age > 300:
            self.mistakes.append(f"{self.path}: signed for another time: {moment}")
        passed = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")}
        asked = urllib.request.Request(self.upstream + self.path, body, passed, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                status, reply, kind = answer.status, answer.read(), answer.headers["content-type"]
        except urllib.error.HTTPError as error:
            status, reply, kind = error.code, error.read(), error.headers["content-type"]
        self.calls.append((scope[3], self.path, status))
        self.send_response(status)
        self.send_header("content-type", kind or "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


class Runtime(http.server.BaseHTTPRequestHandler):
    """The runtime API: one event at a time, and what became of it."""

    events = queue.Queue()
    answers = queue.Queue()

    def do_GET(self):
        event = json.dumps(self.events.get()).encode()
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", "1")
        now_ms = datetime.datetime.now(datetime.UTC).timestamp() * 1000
        self.send_header("lambda-runtime-deadline-ms", str(int(now_ms) + 60_000))
        self.send_header("lambda-runtime-invoked-function-arn", ARN)
        self.send_header("content-length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        self.answers.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def event():
    with open("events/enqueue-http-scan.json", encoding="utf-8") as file:
        return json.load(file)


def calls(program):
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    Checker.upstream = f"http://{host}:{port}"
    # Its functions answer nothing, and need no Docker.
    config = json.dumps({"lambda": {"use_docker": False}}).encode()
    urllib.request.urlopen(
        urllib.request.Request(f"{Checker.upstream}/moto-api/config", config,
                               {"content-type": "application/json"}, method="POST"))
    session = botocore.session.Session()
    session.set_credentials(*KEYS)
    words = {"region_name": "eu-central-1", "endpoint_url": Checker.upstream}
    ssm = session.create_client("ssm", **words)
    keys = {"api-key": "trawl-development-api-key", "admin-key": "the-admin-key-0123456789",
            "upstash-token": os.environ["UPSTASH_REDIS_REST_TOKEN"]}
    for name, value in keys.items():
        ssm.put_parameter(Name=f"/trawl/prod/{name}", Value=value, Type="SecureString")
    role = session.create_client("iam", **words).create_role(
        RoleName="drain", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    session.create_client("lambda", **words).create_function(
        FunctionName="trawl-prod-drain", Runtime="provided.al2023", Role=role,
        Handler="bootstrap", Code={"ZipFile": b"PK\x05\x06" + bytes(18)})

    proxy = f"http://{serve(Checker)}"
    environment = {
        "AWS_LAMBDA_RUNTIME_API": serve(Runtime),
        "AWS_LAMBDA_FUNCTION_NAME": "enqueue",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/enqueue",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": KEYS[0],
        "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_SESSION_TOKEN": SESSION,
        "AWS_ENDPOINT_URL": proxy,
        "REDIS_PROVIDER": "local",
        "UPSTASH_REDIS_REST_URL": os.environ["UPSTASH_REDIS_REST_URL"],
        "UPSTASH_REDIS_REST_TOKEN_PARAMETER": "/trawl/prod/upstash-token",
        "TRAWL_API_KEY_PARAMETER": "/trawl/prod/api-key",
        "TRAWL_ADMIN_KEY_PARAMETER": "/trawl/prod/admin-key",
        "DRAIN_FUNCTION": "trawl-prod-drain",
    }
    function = subprocess.Popen([program, "enqueue"], env=environment)
    try:
        Runtime.events.put(event())
        answer = Runtime.answers.get(timeout=60)
    finally:
        function.terminate()
    invoked = "/2015-03-31/functions/trawl-prod-drain/invocations"
    expected = [("ssm", "/", 200), ("lambda", invoked, 202)]
    if answer.get("statusCode") != 202 or Checker.calls != expected or Checker.mistakes:
        sys.exit(f"answered {answer}\ncalls {Checker.calls}\n" + "\n".join(Checker.mistakes))
    print(f"a function read its keys and invoked another: {Checker.calls}, signed as by botocore")
    moto.stop()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["vectors"]:
            vectors()
        case ["calls", program]:
            calls(program)
        case _:
            sys.exit(__doc__)
