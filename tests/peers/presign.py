"""Makes signed URLs, without a network.

A question a line: {"by", "key", "seconds"}; an answer a line: the URL, and the first and the last second at which it may
expire, as the clock runs on while it is made.
"""

import json
import sys
import time
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google.cloud import storage
from google.oauth2 import service_account

rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
pem = rsa_key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
account = {"client_email": "a@b.example", "private_key": pem.decode(), "token_uri": "https://b.example"}
google = storage.Client("project", service_account.Credentials.from_service_account_info(account))
cloudfront = CloudFrontSigner("KEY", lambda text: rsa_key.sign(text, padding.PKCS1v15(), hashes.SHA1()))
disposition = 'attachment; filename="a&Expires=1&X-Amz-Date=2&X-Goog-Date=3"'


def s3(version, token=None):
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        aws_session_token=token,
        config=Config(signature_version=version),
    )
    return lambda key, seconds: client.generate_presigned_url(
        "get_object", {"Bucket": "bucket", "Key": key, "ResponseContentDisposition": disposition}, seconds
    )


def gcs(version, **style):
    return lambda key, seconds: (
        google.bucket("bucket")
        .blob(key)
        .generate_signed_url(timedelta(seconds=seconds), version=version, response_disposition=disposition, **style)
    )


def canned(key, seconds):
    return cloudfront.generate_presigned_url(f"https://cdn.example/a?v={len(key)}", after(seconds))


def custom(key, seconds):
    url = f"https://cdn.example/a?v={len(key)}"
    return cloudfront.generate_presigned_url(url, policy=cloudfront.build_policy(url, after(seconds), after(-60)))


def after(seconds):
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


WAYS = {
    "S3 by default": s3(None),
    "S3 V4": s3("s3v4"),
    "S3 V4 with a session's token": s3("s3v4", "token/+=" * 40),
    "S3 V2": s3("s3"),
    "GCS V4": gcs("v4"),
    "GCS V4 with the bucket in the host": gcs("v4", virtual_hosted_style=True),
    "GCS V2": gcs("v2"),
    "CloudFront, canned policy": canned,
    "CloudFront, custom policy": custom,
}

for line in sys.stdin:
    question = json.loads(line)
    first = int(time.time()) + question["seconds"]
    url = WAYS[question["by"]](question["key"], question["seconds"])
    last = int(time.time()) + question["seconds"]
    print(json.dumps({"url": url, "first": first, "last": last}), flush=True)
