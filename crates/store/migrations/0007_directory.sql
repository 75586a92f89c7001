-- An Organization's directory, which fills its seats by SCIM. See 0001 for how this text is read by both databases.

CREATE TABLE directory_tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    org TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    -- What the directory may do to seats: what whoever made the token could, at most an owner.
    rank TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX directory_tokens_by_org ON directory_tokens (org, created_at);

-- What the directory says of those whose seats it keeps, beside the seat. It stays when they leave, so that whoever comes
-- back is who they were; the name is free then.
CREATE TABLE directory_users (
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    user_name TEXT NOT NULL,
    -- In lower case; the person's id once they have left.
    user_name_key TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C",
    given_name TEXT,
    family_name TEXT,
    -- The role that the directory gives; NULL: it says none, and others may.
    role TEXT,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (org, person),
    UNIQUE (org, user_name_key),
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);
CREATE INDEX directory_users_by_external_id ON directory_users (org, external_id);

CREATE TABLE directory_groups (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (org, name_key)
);
CREATE INDEX directory_groups_in_order ON directory_groups (org, created_at, id);

-- Who says that the member is in the group: 1 the directory, 0 whoever they sign in with. A group that the directory keeps
-- is the directory's alone.
ALTER TABLE member_groups ADD COLUMN by_directory BIGINT NOT NULL DEFAULT 0;

-- Those of whom their identity provider says no more that they are who they were: their tokens rest until they sign in with
-- it again.
CREATE TABLE unproven (
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (org, person, issuer),
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);
CREATE INDEX unproven_by_person ON unproven (person, issuer);
