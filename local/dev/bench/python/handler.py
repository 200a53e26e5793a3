"""`GET /api/health/redis` as functions/health answers it: one PING."""

import json
import time

from upstash_redis import Redis

redis = Redis.from_env()


def reply(status, body):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def handle(event, _context):
    http = event["requestContext"]["http"]
    if http["method"] != "GET" or event["rawPath"] != "/api/health/redis":
        return reply(404, {"title": "no such route"})
    started = time.monotonic()
    try:
        redis.ping()
    except Exception as error:
        return reply(503, {"status": "unhealthy", "error": str(error)})
    took = round((time.monotonic() - started) * 1000)
    return reply(200, {"status": "healthy", "latencyMs": took})
