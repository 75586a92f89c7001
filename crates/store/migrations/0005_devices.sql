-- Devices that ask to be signed in (RFC 8628), and what a person answered. Rows live as long as their codes, and a little.

CREATE TABLE devices (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    device_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    user_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    -- What it asks for; an empty list is all that the person may.
    capabilities TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- When it asked last what became of it, and how many seconds it has to leave in between.
    polled_at BIGINT,
    pause_seconds BIGINT NOT NULL,
    -- `approved` or `denied`; by whom, and what they granted. No reference: a member who is gone grants nothing.
    answer TEXT,
    org TEXT COLLATE "C",
    person TEXT COLLATE "C",
    granted TEXT,
    used_at BIGINT
);
CREATE INDEX devices_by_expiry ON devices (expires_at);
CREATE INDEX devices_by_address ON devices (address, expires_at);
