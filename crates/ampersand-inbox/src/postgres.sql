-- Version 1 of the schema `ampersand_inbox`, on PostgreSQL. You may query it.

CREATE TABLE ampersand_inbox.delivery (
    seq      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- within a lane, the order of arrival
    source   text        NOT NULL,                  -- its kind and, after a colon, the endpoint, if there are several
    id       text        NOT NULL,                  -- unique within its source
    lane     text        NOT NULL,                  -- one at a time, in order of arrival
    type     text,                                  -- of the notification; NULL for records, and if it cannot be read
    metadata text        NOT NULL,                  -- JSON: the metadata that came with the body
    body     bytea,                                 -- NULL when it is done and pruned
    packed   boolean     NOT NULL,                  -- whether the body is LZ4, after its length
    resolved bytea,                                 -- downloads of its URLs: LZ4 of a JSON object, after its length
    state    text        NOT NULL,                  -- ready, claimed, done or dead
    head     boolean,                               -- whether it is the first in its lane; NULL: no longer in it
    due      timestamptz NOT NULL,                  -- when it may be claimed, or its lease ends
    attempts bigint      NOT NULL DEFAULT 0,        -- counted when it is claimed
    token    bigint      NOT NULL DEFAULT 0,        -- a new one at each claim
    reason   text,                                  -- of the last failure
    received timestamptz NOT NULL,
    finished timestamptz,
    UNIQUE (source, id)
);
ALTER TABLE ampersand_inbox.delivery ALTER body SET STORAGE EXTERNAL, ALTER resolved SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX delivery_head ON ampersand_inbox.delivery (lane) WHERE head;
CREATE INDEX delivery_due ON ampersand_inbox.delivery (due) WHERE head;
CREATE INDEX delivery_lane ON ampersand_inbox.delivery (lane, seq) WHERE head IS NOT NULL;
CREATE INDEX delivery_done ON ampersand_inbox.delivery (finished) WHERE state = 'done';
CREATE INDEX delivery_kept ON ampersand_inbox.delivery (finished) WHERE state = 'done' AND body IS NOT NULL;
CREATE INDEX delivery_dead ON ampersand_inbox.delivery (finished) WHERE state = 'dead';

CREATE FUNCTION ampersand_inbox.lock(_lane text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended(_lane, 7269771))
$$;

-- Makes sure that a lane has a head: keeps the present one, or else takes the first that arrived.
CREATE FUNCTION ampersand_inbox.next(_lane text) RETURNS void LANGUAGE sql AS $$
    UPDATE ampersand_inbox.delivery SET head = true WHERE seq = (
        SELECT seq FROM ampersand_inbox.delivery WHERE lane = _lane AND head IS NOT NULL
        ORDER BY head DESC, seq LIMIT 1)
$$;

-- Stores a delivery. Returns whether it is new.
CREATE FUNCTION ampersand_inbox.put(
    _source text, _id text, _lane text, _type text, _metadata text, _body bytea, _packed boolean, _reason text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _time timestamptz;
BEGIN
    PERFORM ampersand_inbox.lock(_lane);
    _time = clock_timestamp();
    INSERT INTO ampersand_inbox.delivery
        (source, id, lane, type, metadata, body, packed, reason, due, received, state, head, finished)
    SELECT _source, _id, _lane, _type, _metadata, _body, _packed, _reason, _time, _time,
        CASE WHEN _reason IS NULL THEN 'ready' ELSE 'dead' END,
        CASE WHEN _reason IS NULL THEN NOT EXISTS (
            SELECT 1 FROM ampersand_inbox.delivery WHERE lane = _lane AND head IS NOT NULL) END,
        CASE WHEN _reason IS NOT NULL THEN _time END
    ON CONFLICT (source, id) DO NOTHING;
    RETURN FOUND;
END $$;

-- Ends the claim with this token. Returns false if it was lost. Without a pause, the delivery is never due.
CREATE FUNCTION ampersand_inbox.finish(
    _seq bigint, _token bigint, _state text, _pause bigint, _reason text, _released bigint, _leaves boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _lane text;
BEGIN
    -- The lane of a claimed delivery doesn't change.
    SELECT lane INTO _lane FROM ampersand_inbox.delivery WHERE seq = _seq;
    -- Postgres ends a transaction that is idle for longer, so that a machine that vanished does not keep the lane.
    PERFORM set_config('idle_in_transaction_session_timeout', '10s', true);
    PERFORM ampersand_inbox.lock(_lane);
    UPDATE ampersand_inbox.delivery
    SET state = _state, due = coalesce(clock_timestamp() + _pause * interval '1 ms', 'infinity'),
        reason = coalesce(_reason, reason), attempts = attempts - _released, head = CASE WHEN NOT _leaves THEN true END,
        finished = CASE WHEN _state IN ('done', 'dead') THEN clock_timestamp() END
    WHERE seq = _seq AND token = _token AND state = 'claimed';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF _leaves THEN
        PERFORM ampersand_inbox.next(_lane);
    END IF;
    RETURN true;
END $$;

-- Ends a claim as handled. It is the last statement of the transaction of its caller. If the claim was lost, that
-- transaction fails and rolls back.
CREATE FUNCTION ampersand_inbox.complete(_seq bigint, _token bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- At any other level, this may not see the next delivery of the lane, which would then never be claimed.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a delivery of ampersand_inbox is completed in a transaction at the level read committed';
    END IF;
    IF NOT ampersand_inbox.finish(_seq, _token, 'done', 0, NULL, 0, true) THEN
        RAISE EXCEPTION 'the claim of the delivery was lost, or ended already';
    END IF;
END $$;

-- Takes a dead letter out of the lane that it blocks. This needs the lock of that lane.
CREATE FUNCTION ampersand_inbox.unblock(_seq bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _lane text;
BEGIN
    UPDATE ampersand_inbox.delivery SET head = NULL WHERE seq = _seq AND head AND state = 'dead' RETURNING lane INTO _lane;
    IF FOUND THEN
        PERFORM ampersand_inbox.next(_lane);
    END IF;
END $$;

-- Makes a dead letter ready again, in its place in the order of arrival. Returns false if it is no longer one.
CREATE FUNCTION ampersand_inbox.replay(_seq bigint, _lane text, _type text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _old text;
BEGIN
    SELECT lane INTO _old FROM ampersand_inbox.delivery WHERE seq = _seq;
    -- In this order always, so that two replays do not wait for each other.
    PERFORM ampersand_inbox.lock(least(_old, _lane));
    PERFORM ampersand_inbox.lock(greatest(_old, _lane));
    PERFORM ampersand_inbox.unblock(_seq);
    UPDATE ampersand_inbox.delivery
    SET state = 'ready', due = clock_timestamp(), attempts = 0, finished = NULL, lane = _lane, type = _type, head = false
    WHERE seq = _seq AND state = 'dead';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- A head that is claimed or blocks the lane stays the head. This waits for a claim in progress.
    UPDATE ampersand_inbox.delivery SET head = false WHERE lane = _lane AND head AND state = 'ready';
    PERFORM ampersand_inbox.next(_lane);
    RETURN true;
END $$;

CREATE FUNCTION ampersand_inbox.remove(_source text, _id text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _seq bigint;
    _lane text;
BEGIN
    SELECT seq, lane INTO _seq, _lane FROM ampersand_inbox.delivery WHERE source = _source AND id = _id;
    PERFORM ampersand_inbox.lock(_lane);
    PERFORM ampersand_inbox.unblock(_seq);
    DELETE FROM ampersand_inbox.delivery WHERE seq = _seq AND state = 'dead';
    RETURN FOUND;
END $$;
