-- Recordings of terminals. See 0001 for how this text is read by both databases.

-- 1: a terminal of it was recorded at some time.
ALTER TABLE sessions ADD COLUMN recorded BIGINT NOT NULL DEFAULT 0;
