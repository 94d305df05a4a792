"""Reads one stream to its end with sseclient-py, which leaves it to its user to come back after a break."""

import json
import sys
import time

import requests
import sseclient

url, last_id = sys.argv[1], ""
over = False
while not over:
    headers = {"Accept": "text/event-stream"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    try:
        with requests.get(url, headers=headers, stream=True, timeout=60) as response:
            response.raise_for_status()
            for event in sseclient.SSEClient(response.iter_content(1)).events():
                last_id = event.id or last_id
                over = event.event in ("end", "error")
                said = {"name": event.event, "id": last_id, "data": event.data}
                print(json.dumps(said), flush=True)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        time.sleep(0.05)
