"""Fills a queue of SQS and a bucket of S3 as Ampersand does.

    queues.py ENDPOINT queue NAME [--receives 3] [--visibility 30]
    queues.py ENDPOINT send URL FILE
    queues.py ENDPOINT put BUCKET FILE [--queue URL]

`queue` creates a queue whose messages go to a dead letter queue after so many receives. It prints {"url", "arn", "dead"}.

A line of a file is {"data", "metadata"}, a record of Kinesis. `send` sends `data` as the body of a message, as it is in the
line, with the attribute `metadata`: a String that holds a JSON object. It prints {"id", "messageId"} for each.

`put` creates the bucket, and puts `data` as an object whose user metadata is `metadata`. It prints {"id", "key"} for each.
With a queue, the bucket notifies that of each object.
"""

import argparse
import json

import boto3


def client(service, endpoint):
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)


def say(value):
    print(json.dumps(value), flush=True)


def deliveries(path):
    """The data of each line, to the byte, and its metadata."""
    with open(path, encoding="utf-8") as file:
        for line in filter(None, map(str.strip, file)):
            record = json.loads(line)
            start = line.index('"data":') + len('"data":')
            start += len(line[start:]) - len(line[start:].lstrip())
            _, end = json.JSONDecoder().raw_decode(line, start)
            assert json.loads(line[start:end]) == record["data"], "a member `data` before that of the record"
            yield line[start:end], record["metadata"]


def arn(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def queue(options):
    sqs = client("sqs", options.endpoint)
    dead = sqs.create_queue(QueueName=f"{options.name}-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": options.receives}
    attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": str(options.visibility)}
    url = sqs.create_queue(QueueName=options.name, Attributes=attributes)["QueueUrl"]
    say({"url": url, "arn": arn(sqs, url), "dead": dead})


def send(options):
    sqs = client("sqs", options.endpoint)
    for data, metadata in deliveries(options.file):
        attributes = {"metadata": {"DataType": "String", "StringValue": json.dumps(metadata)}}
        sent = sqs.send_message(QueueUrl=options.url, MessageBody=data, MessageAttributes=attributes)
        say({"id": metadata["event-id"], "messageId": sent["MessageId"]})


def put(options):
    s3 = client("s3", options.endpoint)
    s3.create_bucket(Bucket=options.bucket)
    if options.queue:
        told = {"QueueArn": arn(client("sqs", options.endpoint), options.queue), "Events": ["s3:ObjectCreated:*"]}
        configuration = {"QueueConfigurations": [told]}
        s3.put_bucket_notification_configuration(Bucket=options.bucket, NotificationConfiguration=configuration)
    for data, metadata in deliveries(options.file):
        # A key that is not the same in a URL.
        key = f"{metadata.get('topic', 'topic')}/{metadata.get('timestamp', '')} {metadata['event-id']}.json"
        s3.put_object(Bucket=options.bucket, Key=key, Body=data.encode(), Metadata=metadata)
        say({"id": metadata["event-id"], "key": key})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("endpoint")
    commands = parser.add_subparsers(required=True)
    creating = commands.add_parser("queue")
    creating.add_argument("name")
    creating.add_argument("--receives", type=int, default=3)
    creating.add_argument("--visibility", type=int, default=30)
    creating.set_defaults(run=queue)
    sending = commands.add_parser("send")
    sending.add_argument("url")
    sending.add_argument("file")
    sending.set_defaults(run=send)
    putting = commands.add_parser("put")
    putting.add_argument("bucket")
    putting.add_argument("file")
    putting.add_argument("--queue")
    putting.set_defaults(run=put)
    options = parser.parse_args()
    options.run(options)


main()
