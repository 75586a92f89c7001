-- The audit as a chain: every entry of an Organization has a number and the hash of the one before it. Entries from
-- before this step are chained in code, right after it (src/audit/chain.rs).

ALTER TABLE audit ADD COLUMN role TEXT;
ALTER TABLE audit ADD COLUMN address TEXT;
-- The actor in lower case, for finding.
ALTER TABLE audit ADD COLUMN actor_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN number BIGINT;
ALTER TABLE audit ADD COLUMN previous TEXT COLLATE "C";
ALTER TABLE audit ADD COLUMN hash TEXT COLLATE "C";

CREATE TABLE audit_chains (
    org TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- The last entry.
    number BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    -- The last entry that was removed when its time was over: the chain begins after it.
    anchor_number BIGINT NOT NULL,
    anchor_hash TEXT COLLATE "C" NOT NULL
);

-- What there is to filter by: few rows beside millions of entries, so that part of a word finds the whole ones.
CREATE TABLE audit_words (
    org TEXT COLLATE "C" NOT NULL,
    -- `actor` or `action`.
    kind TEXT COLLATE "C" NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    -- The person whom an actor's name stood for; '' where it was nobody.
    person TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, kind, word, person)
);

DROP INDEX audit_by_org;
DROP INDEX audit_by_target;
CREATE UNIQUE INDEX audit_by_number ON audit (org, number);
CREATE INDEX audit_unchained ON audit (position) WHERE number IS NULL;
-- One index for each filter, each in the order of the list.
CREATE INDEX audit_by_time ON audit (org, at, position);
CREATE INDEX audit_by_time_in_fleet ON audit (at, position);
CREATE INDEX audit_by_actor ON audit (org, actor_key, at, position);
CREATE INDEX audit_by_action ON audit (org, action, at, position);
CREATE INDEX audit_by_target ON audit (target, org, at, position);
CREATE INDEX audit_by_request ON audit (request, org, at, position);

-- How far the audit was forwarded, by the name of the receiver.
CREATE TABLE audit_forwards (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
