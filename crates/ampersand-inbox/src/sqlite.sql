-- Version 1 of the schema, in a file. You may query it.

CREATE TABLE delivery (
    seq      INTEGER PRIMARY KEY,     -- the order of arrival
    source   TEXT    NOT NULL,        -- its kind and, after a colon, the endpoint, if there are several
    id       TEXT    NOT NULL,        -- unique within its source
    lane     TEXT    NOT NULL,        -- one at a time, in order of arrival
    type     TEXT,                    -- of the notification; NULL for records, and if it cannot be read
    metadata TEXT    NOT NULL,        -- JSON: the metadata that came with the body
    state    TEXT    NOT NULL,        -- ready, claimed, done or dead
    head     INTEGER,                 -- 1: first in its lane; 0: behind another one; NULL: no longer in it
    due      INTEGER NOT NULL,        -- ms of the Unix epoch: when it may be claimed, or its lease ends
    attempts INTEGER NOT NULL DEFAULT 0, -- counted when it is claimed
    token    INTEGER NOT NULL DEFAULT 0, -- a new one at each claim
    reason   TEXT,                    -- of the last failure
    received INTEGER NOT NULL,        -- ms of the Unix epoch
    finished INTEGER,                 -- ms of the Unix epoch
    pruned   INTEGER NOT NULL DEFAULT 0, -- whether its body is dropped
    UNIQUE (source, id)
) STRICT;
CREATE TABLE delivery_body (
    seq      INTEGER PRIMARY KEY,     -- of the delivery
    body     BLOB    NOT NULL,        -- as it came
    packed   INTEGER NOT NULL,        -- whether the body is LZ4, after its length
    resolved BLOB                     -- downloads of its URLs: LZ4 of a JSON object, after its length
) STRICT;
CREATE INDEX delivery_due ON delivery (due) WHERE head = 1;
CREATE INDEX delivery_lane ON delivery (lane, seq) WHERE head IS NOT NULL;
CREATE INDEX delivery_done ON delivery (pruned, finished) WHERE state = 'done';
CREATE INDEX delivery_dead ON delivery (finished) WHERE state = 'dead';
