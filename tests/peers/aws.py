"""Hands calls on to boto3, with a server of moto behind it, which ends with the input; or with the server at a URL, if one is
given.

A question a line: {"service", "call", "arguments"} and perhaps "signature_version"; an answer a line. Bytes are answered
in base64.
"""

import base64
import json
import logging
import sys

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

if len(sys.argv) > 1:
    endpoint = sys.argv[1]
else:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"


def client(service, signature_version=None):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(signature_version=signature_version),
    )


def plain(value):
    if hasattr(value, "read"):
        value = value.read()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


for line in sys.stdin:
    question = json.loads(line)
    call = getattr(client(question["service"], question.get("signature_version")), question["call"])
    print(json.dumps(call(**question["arguments"]), default=plain), flush=True)
