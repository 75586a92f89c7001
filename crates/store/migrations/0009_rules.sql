-- Rules that hold: what a policy ends stays ended, a ceiling above an Organization's limits, letters on their way.
-- See 0001 for how this text is read by both databases.

-- 1: only somebody who resumes it wakes it.
ALTER TABLE sessions ADD COLUMN by_hand BIGINT NOT NULL DEFAULT 0;

-- The table quotas has a third kind from now on: 'ceiling', what is set for an Organization in its plan's place. Until now
-- nobody wrote down who had set a limit, so what is there says nothing of it, and stays as it is.

-- Letters that wait to be sent. What is secret in them is sealed for this row and forgotten when it has arrived or its
-- time is over.
CREATE TABLE letters (
    -- That of the invitation it carries.
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    -- The key and the text of what is sealed; NULL: it is over.
    sealed_by TEXT,
    sealed TEXT,
    -- waiting, sent, failed
    state TEXT COLLATE "C" NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Why the last try failed, as a person may read it.
    why TEXT
);
CREATE INDEX letters_by_next ON letters (next_at) WHERE state = 'waiting';
