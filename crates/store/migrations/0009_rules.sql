-- Rules that hold: what a policy ends stays ended, a ceiling above an Organization's limits, letters on their way.
-- See 0001 for how this text is read by both databases.

-- 1: only somebody who resumes it wakes it.
ALTER TABLE sessions ADD COLUMN by_hand BIGINT NOT NULL DEFAULT 0;

-- The table quotas has a third kind from now on: 'ceiling', what is set for an Organization in its plan's place. Until now
-- nobody wrote down who had set a limit, so what is there says nothing of it, and stays as it is.
