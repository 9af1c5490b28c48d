"""Puts records into a stream of Kinesis that is resharded all the while, and reads them as Lambda does.

    kinesis.py ENDPOINT put STREAM FILE [--shards 2] [--batch 100] [--every 10] [--pause 0]
    kinesis.py ENDPOINT get STREAM COUNT [--limit 100] [--seconds 60]

`put` creates the stream and puts each line of the file as it is. A line is a record as Ampersand sends it, whose
`metadata."event-id"` is the partition key. After every so many calls it splits a shard or merges two, and goes on without
waiting. It prints a line for each record: {"id", "shard", "sequenceNumber"}.

`get` prints a line for each answer: {"shard", "parents", "children", "closed", "records"}, with the records as an event of
Lambda has them. It waits for the stream. A shard is read when its parents have been read to their end. It ends after so
many records.
"""

import argparse
import base64
import json
import sys
import time

import boto3

REGION = "us-east-1"


def client(endpoint):
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    return boto3.client("kinesis", endpoint_url=endpoint, region_name=REGION, **keys)


def say(value):
    print(json.dumps(value), flush=True)


def shards(kinesis, stream):
    found = kinesis.list_shards(StreamName=stream)
    all_of_them = found["Shards"]
    while token := found.get("NextToken"):
        found = kinesis.list_shards(NextToken=token)
        all_of_them += found["Shards"]
    return all_of_them


def parents(shard):
    named = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return [parent for parent in named if parent]


def is_active(kinesis, stream):
    try:
        summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    except kinesis.exceptions.ResourceNotFoundException:
        return False
    return summary["StreamStatus"] == "ACTIVE"


def reshard(kinesis, stream, most):
    """Splits the shard with the widest range of keys; where there are as many as wanted, merges two neighbours."""
    edges = lambda shard: [int(shard["HashKeyRange"][edge]) for edge in ("StartingHashKey", "EndingHashKey")]
    are_open = [s for s in shards(kinesis, stream) if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    are_open.sort(key=lambda shard: edges(shard)[0])
    if len(are_open) >= most:
        left, right = min(zip(are_open, are_open[1:]), key=lambda pair: edges(pair[1])[1] - edges(pair[0])[0])
        kinesis.merge_shards(StreamName=stream, ShardToMerge=left["ShardId"], AdjacentShardToMerge=right["ShardId"])
    else:
        widest = max(are_open, key=lambda shard: edges(shard)[1] - edges(shard)[0])
        low, high = edges(widest)
        middle = str((low + high) // 2 + 1)
        kinesis.split_shard(StreamName=stream, ShardToSplit=widest["ShardId"], NewStartingHashKey=middle)


def put(kinesis, options):
    stream = options.stream
    kinesis.create_stream(StreamName=stream, ShardCount=options.shards)
    while not is_active(kinesis, stream):
        time.sleep(0.02)
    with open(options.file, "rb") as file:
        lines = [line.rstrip(b"\r\n") for line in file if line.strip()]
    most, changes = options.shards + 2, 0
    for number, start in enumerate(range(0, len(lines), options.batch)):
        if number % options.every == options.every - 1 and is_active(kinesis, stream):
            # Two splits, two merges, and so on.
            reshard(kinesis, stream, options.shards + 1 if changes % 4 >= 2 else most)
            changes += 1
        waiting = [(json.loads(line)["metadata"]["event-id"], line) for line in lines[start : start + options.batch]]
        while waiting:
            records = [{"Data": line, "PartitionKey": key} for key, line in waiting]
            answers = kinesis.put_records(StreamName=stream, Records=records)["Records"]
            refused = []
            for record, answer in zip(waiting, answers, strict=True):
                if "ErrorCode" in answer:
                    refused.append(record)
                else:
                    say({"id": record[0], "shard": answer["ShardId"], "sequenceNumber": answer["SequenceNumber"]})
            waiting = refused
            time.sleep(options.pause)
    print(f"{len(lines)} records, {changes} changes of shards", file=sys.stderr)


def as_lambda_has_it(arn, shard, record):
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/lambda",
        "awsRegion": REGION,
        "eventSourceARN": arn,
    }


def get(kinesis, options):
    stream, missing = options.stream, options.count
    while not is_active(kinesis, stream):
        time.sleep(0.02)
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    iterators, known, ended = {}, {}, set()
    until = time.monotonic() + options.seconds
    while missing > 0 and time.monotonic() < until:
        for shard in shards(kinesis, stream):
            known[shard["ShardId"]] = parents(shard)
        for shard, its_parents in known.items():
            # A parent that is not listed is older than what the stream keeps.
            if shard not in iterators and all(parent in ended or parent not in known for parent in its_parents):
                wanted = {"StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
                iterators[shard] = kinesis.get_shard_iterator(**wanted)["ShardIterator"]
        some = False
        for shard in [shard for shard in iterators if shard not in ended]:
            answer = kinesis.get_records(ShardIterator=iterators[shard], Limit=options.limit)
            records = [as_lambda_has_it(arn, shard, record) for record in answer["Records"]]
            iterators[shard] = answer.get("NextShardIterator")
            closed = iterators[shard] is None
            if closed:
                ended.add(shard)
            if records or closed:
                some = True
                missing -= len(records)
                children = [child["ShardId"] for child in answer.get("ChildShards", [])]
                say({"shard": shard, "parents": known[shard], "children": children, "closed": closed, "records": records})
        if not some:
            time.sleep(0.05)
    if missing > 0:
        sys.exit(f"{missing} of {options.count} records did not come in {options.seconds} seconds")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("endpoint")
    commands = parser.add_subparsers(required=True)
    putting = commands.add_parser("put")
    putting.add_argument("stream")
    putting.add_argument("file")
    putting.add_argument("--shards", type=int, default=2)
    putting.add_argument("--batch", type=int, default=100)
    putting.add_argument("--every", type=int, default=10)
    putting.add_argument("--pause", type=float, default=0)
    putting.set_defaults(run=put)
    getting = commands.add_parser("get")
    getting.add_argument("stream")
    getting.add_argument("count", type=int)
    getting.add_argument("--limit", type=int, default=100)
    getting.add_argument("--seconds", type=float, default=60)
    getting.set_defaults(run=get)
    options = parser.parse_args()
    options.run(client(options.endpoint), options)


main()
