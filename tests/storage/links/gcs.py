"""As much of Google Cloud Storage's JSON API as reading an object takes."""

from __future__ import annotations

import hashlib
from urllib.parse import unquote

from ...pim.server import Reply, Request, says


class Buckets:
    """`objects` by `bucket/key`; an overwritten one has another generation."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = dict(objects)
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request.target)
        parts = request.path.split("/")
        if "o" not in parts:
            return says(200, {"kind": "storage#objects"})
        at = parts.index("o")
        bucket, key = unquote(parts[at - 1]), unquote("/".join(parts[at + 1 :]))
        content = self.objects.get(f"{bucket}/{key}")
        if not key:
            return says(200, {"kind": "storage#objects"})
        if content is None:
            return says(404, {"error": {"code": 404, "message": f"No such object: {bucket}/{key}"}})
        if "alt=media" in request.target:
            start, _, end = request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
            part = content[int(start) : int(end) + 1 if end else None]
            headers = {"Content-Range": f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}"}
            return Reply(206, part, headers)
        generation = int(hashlib.sha256(content).hexdigest()[:12], 16)
        return says(
            200,
            {
                "kind": "storage#object",
                "name": key,
                "bucket": bucket,
                "size": str(len(content)),
                "generation": str(generation),
                "updated": "2026-10-21T07:28:00.000Z",
                "timeCreated": "2026-10-21T07:28:00.000Z",
                "mediaLink": f"http://{request.headers['host']}/download/storage/v1/b/{bucket}/o/{key}?alt=media",
            },
        )
