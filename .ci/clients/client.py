"""A small client in Python, with what openapi-python-client makes of the document:

    client.py FOLDER URL KEY GUILD CHANNEL

FOLDER holds the generated package `trawl`. It creates a job, reads it until it is completed,
and checks that the unions by `type` came out as classes and a problem as a `Problem`.
"""

import sys
import time

folder, url, key, guild, channel = sys.argv[1:]
sys.path.insert(0, folder)

# The package is made while this runs.
from trawl import AuthenticatedClient  # noqa: E402
from trawl.api.clips import list_clips  # noqa: E402
from trawl.api.jobs import create_jobs, get_job  # noqa: E402
from trawl.api.scans import follow_scan  # noqa: E402
from trawl.models import (  # noqa: E402
    BatchJob,
    BatchJobRequest,
    CreatedJobs,
    Problem,
    ProgressEvent,
    ScanResult,
    StatusEvent,
)

client = AuthenticatedClient(base_url=url, token=key)
body = BatchJobRequest(type_="batch", guild_id=guild, channel_id=channel, limit=150)
created = create_jobs.sync(client=client, body=body)
assert isinstance(created, CreatedJobs), created
job_id = created.jobs[0].job_id
for _ in range(300):
    job = get_job.sync(job_id, client=client)
    assert isinstance(job, BatchJob), job
    if job.finished_at is not None:
        break
    time.sleep(0.1)
assert job.state == "completed", job
assert isinstance(job.returnvalue, ScanResult), job
assert job.returnvalue.messages_scanned == job.data.limit == 150, job
events = follow_scan.sync(job_id, client=client, last_id="0").events
assert {type(event) for event in events} >= {ProgressEvent, StatusEvent}, events
clips = list_clips.sync(guild, client=client, channel_id=channel, limit=5).clips
assert clips and all(clip.channel_id == channel for clip in clips), clips
problem = list_clips.sync("1", client=client)
assert isinstance(problem, Problem) and problem.status == 400, problem
print(f"Python: {job.type_} of {job.returnvalue.messages_scanned} messages, {len(events)} events, {problem.code}")
