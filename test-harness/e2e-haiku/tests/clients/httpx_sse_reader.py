"""Reads one stream to its end with httpx-sse, which leaves it to its user to come back after a break."""

import json
import sys
import time

import httpx
import httpx_sse

url, last_id = sys.argv[1], ""
with httpx.Client(timeout=60) as client:
    over = False
    while not over:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        try:
            with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
                for event in source.iter_sse():
                    last_id = event.id or last_id
                    over = event.event in ("end", "error")
                    said = {"name": event.event, "id": last_id, "data": event.data}
                    print(json.dumps(said), flush=True)
        except httpx.TransportError:
            time.sleep(0.05)
