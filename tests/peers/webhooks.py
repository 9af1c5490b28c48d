"""Signs and verifies as the library that is named does. A question a line, in JSON; an answer a line."""

import base64
import importlib
import json
import sys
from datetime import datetime, timezone

library = importlib.import_module(sys.argv[1])


def answer(secret, body, headers=None, id=None, timestamp=None):
    webhook = library.Webhook(secret)
    body = base64.b64decode(body)
    if headers is None:
        return webhook.sign(id, datetime.fromtimestamp(timestamp, timezone.utc), body.decode())
    webhook.verify(body, headers)
    return "verified"


for line in sys.stdin:
    question = json.loads(line)
    try:
        print(json.dumps({"ok": answer(**question)}), flush=True)
    except Exception as error:
        print(json.dumps({"error": type(error).__name__}), flush=True)
