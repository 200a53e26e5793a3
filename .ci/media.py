#!/usr/bin/env python3
"""Makes video files with ffmpeg, and compares what Trawl finds in them with ffprobe.

    .ci/media.py check FOLDER PROGRAM   makes files, runs PROGRAM (look) on them, compares
    .ci/media.py fixtures FOLDER        makes small files for the tests, and expected.json
"""

import json
import pathlib
import struct
import subprocess
import sys

H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]
# As browsers record: no place to go back to, and so no duration.
LIVE = ["-f", "webm", "-live", "1", "-cluster_time_limit", "1000"]

FILES = {
    "faststart.mp4": H264 + ["-movflags", "+faststart"],
    "moov-at-end.mp4": H264,
    "moov-at-end.mov": H264,
    "fragmented.mp4": H264 + ["-g", "10", "-movflags", "frag_keyframe+empty_moov"],
    "fragmented-first-in-moov.mp4": H264 + ["-g", "10", "-movflags", "frag_keyframe"],
    "fragmented-with-index.mp4": H264
    + ["-g", "10", "-movflags", "frag_keyframe+empty_moov+global_sidx"],
    "dash.mp4": H264 + ["-g", "10", "-movflags", "dash+frag_keyframe+empty_moov"],
    "fragmented-without-end.mp4": H264
    + ["-g", "10", "-movflags", "frag_keyframe+empty_moov+skip_trailer"],
    "hevc.mp4": ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1"],
    "mpeg4.mov": ["-c:v", "mpeg4"],
    "vp8.webm": VP8,
    "vp9.webm": VP9,
    "vp9.mkv": VP9,
    "h264.mkv": H264,
    "vp8-without-duration.webm": VP8 + LIVE,
    "vp9-without-duration.webm": VP9 + LIVE,
}
# Made from faststart.mp4 by a change of the display matrix.
ROTATED = {
    "rotated-90.mp4": (0, 1, -1, 0),
    "rotated-180.mp4": (-1, 0, 0, -1),
    "rotated-270.mp4": (0, -1, 1, 0),
}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def make(folder, seconds, size):
    """Makes all files. Returns them with what ffprobe says."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ["ffmpeg", "-y", "-v", "error", "-fflags", "+bitexact"]
    plain = ["-flags:v", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
    video = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate=10:duration={seconds}"]
    audio = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    for name, options in FILES.items():
        sound = "libopus" if name.endswith(("webm", "mkv")) else "aac"
        path = str(folder / name)
        run(*quiet, *video, *audio, *plain, *options, "-c:a", sound, "-b:a", "8k", path)
    for name, matrix in ROTATED.items():
        content = bytearray((folder / "faststart.mp4").read_bytes())
        # The matrix of the first track, which is the video. Not every ffmpeg can set it.
        at = content.index(b"tkhd") + 44
        a, b, c, d = (part * 0x10000 for part in matrix)
        content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
        (folder / name).write_bytes(content)
    return {name: probe(folder / name) for name in [*FILES, *ROTATED]}


def probe(path):
    """What ffprobe says, by reading all packets if the headers tell no duration."""
    shown = "format=duration:stream=codec_name,width,height:stream_side_data=rotation"
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json"]
    told = json.loads(run(*command, "-show_entries", shown, str(path)))
    stream = told["streams"][0]
    duration = told["format"].get("duration")
    if duration is None:
        ends = "packet=pts_time,duration_time"
        packets = json.loads(run("ffprobe", "-v", "error", "-of", "json", "-show_entries", ends,
                                 str(path)))["packets"]
        duration = max(float(p["pts_time"]) + float(p.get("duration_time", 0)) for p in packets)
    sides = stream.get("side_data_list", [])
    turned = next((side["rotation"] for side in sides if "rotation" in side), 0)
    rotation = int(-turned) % 360
    width, height = stream["width"], stream["height"]
    if rotation % 180 == 90:
        width, height = height, width
    return {
        "duration": float(duration),
        "width": width,
        "height": height,
        "rotation": rotation,
        "codec": stream["codec_name"],
    }


def check(folder, program):
    expected = make(folder, 12, "320x180")
    # A long recording, whose index is larger than everything that may be read.
    long = folder / "long.mp4"
    run("ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i",
        "color=size=64x64:rate=60:duration=1800", "-f", "lavfi", "-i", "anullsrc", "-shortest",
        *H264, "-g", "1", "-c:a", "aac", "-b:a", "8k", str(long))
    expected["long.mp4"] = probe(long)
    lines = run(program, *(str(folder / name) for name in expected)).splitlines()
    wrong = []
    for found in map(json.loads, lines):
        truth = expected[found["file"]]
        near = abs((found.get("duration") or 0) - truth["duration"]) <= 0.11
        same = all(found.get(key) == truth[key] for key in truth if key != "duration")
        print(f"{found['file']:32} {found['reads']} reads {found['bytes']:8} bytes  "
              f"{found.get('duration')} s of {truth['duration']}")
        if not near or not same:
            wrong.append(f"{found['file']}: found {found}, expected {truth}")
    if len(lines) != len(expected) or wrong:
        sys.exit("\n".join(["not what ffprobe says:", *wrong]))


def fixtures(folder):
    expected = make(folder, 2, "64x36")
    text = json.dumps(expected, indent=2) + "\n"
    (folder / "expected.json").write_text(text)


match sys.argv[1:]:
    case ["check", folder, program]:
        check(pathlib.Path(folder), program)
    case ["fixtures", folder]:
        fixtures(pathlib.Path(folder))
    case _:
        sys.exit(__doc__)
