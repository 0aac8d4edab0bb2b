"""Collects what waits in an inbox: python inbox_client.py URL KEY FOLDER. Run it as often as you like."""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import HTTPError, Request, urlopen

url, key, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)


def call(path, body=None, **headers):
    headers |= {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        with urlopen(Request(url + path, body and json.dumps(body).encode(), headers), timeout=30) as answer:
            return answer.read()
    except HTTPError as problem:
        if problem.code not in (429, 503):
            raise SystemExit(f"{path}: {problem.read().decode()}") from None
        time.sleep(int(problem.headers["Retry-After"]))
    return call(path, body, **headers)


while items := json.loads(call("/v1/inbox/items"))["items"]:
    for item in items:
        here = f"/v1/inbox/items/{item['item_id']}"
        for file in json.loads(call(here))["attachments"]:
            (folder / file["attachment_id"]).write_bytes(call(file["path"]))
        content = call(f"{here}/content")
        (folder / f"{item['item_id']}.json").write_bytes(content)
        if item["operation"] == "declare":
            report = {"status": "accepted", "occurred_at": datetime.now(UTC).isoformat()}
            call(f"{here}/reports", report, **{"Idempotency-Key": f"{item['item_id']}-accepted"})
        call(f"{here}/acknowledgement", {"digest": hashlib.sha256(content).hexdigest()})
