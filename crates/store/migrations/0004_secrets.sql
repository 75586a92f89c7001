-- Secrets: what they are called, who receives them, and their values, sealed. See 0001 for how this text is read.

CREATE TABLE secrets (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    -- Whose it is: 'org' and '', 'group' and its name, 'person' and their id.
    owner_kind TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    bindings TEXT NOT NULL,
    -- Nonce and ciphertext, bound to org, id and version; and the name of the key that opens them.
    sealed TEXT NOT NULL,
    sealed_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    UNIQUE (org, owner_kind, owner, kind, name)
);
CREATE INDEX secrets_by_key ON secrets (sealed_by, id);

-- Which version of which secret a session was given when it last started.
CREATE TABLE secret_holders (
    session TEXT COLLATE "C" NOT NULL,
    secret TEXT COLLATE "C" NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    held_at BIGINT NOT NULL,
    PRIMARY KEY (session, secret)
);
CREATE INDEX secret_holders_by_secret ON secret_holders (secret, session);
