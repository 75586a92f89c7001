-- Written as PostgreSQL reads it; SQLite is given the same text without the collations (see src/migrations.rs).
-- Times are milliseconds since the Unix epoch, truth is 0 or 1, lists and objects are JSON. Text that is compared
-- or sorted has the collation "C": bytes, so that both databases give one order, whatever the locale.

CREATE TABLE orgs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    org TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    person TEXT COLLATE "C" NOT NULL,
    email TEXT NOT NULL,
    -- The address in lower case: one address belongs to one person of an Organization.
    email_key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org, person),
    UNIQUE (org, email_key)
);
CREATE INDEX members_by_email ON members (email_key, created_at);
CREATE INDEX members_by_person ON members (person);

CREATE TABLE sign_in_links (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);

CREATE TABLE logins (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);
CREATE INDEX logins_by_person ON logins (org, person, seen_at);
CREATE INDEX logins_by_expiry ON logins (expires_at);

CREATE TABLE tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);
CREATE INDEX tokens_by_person ON tokens (org, person, created_at);

CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    owner_name TEXT NOT NULL,
    owner_email TEXT NOT NULL,
    name TEXT NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    repo TEXT,
    branch TEXT,
    phase TEXT COLLATE "C" NOT NULL,
    reason TEXT,
    exit_code BIGINT,
    exit_signal BIGINT,
    sharing TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    storage_bytes BIGINT NOT NULL,
    version BIGINT NOT NULL,
    idempotency TEXT COLLATE "C",
    -- What follows is derived from the row by the domain, and kept so that lists can filter, search and sort by it.
    status TEXT COLLATE "C" NOT NULL,
    live BIGINT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    words TEXT COLLATE "C" NOT NULL,
    owner_words TEXT COLLATE "C" NOT NULL,
    FOREIGN KEY (org, owner) REFERENCES members (org, person)
);
-- One index for each order of the list. Owner and sharing are in it so that a person who may see few of many
-- sessions does not make the database open every row.
CREATE INDEX sessions_by_active ON sessions (org, active_at, id, owner, sharing);
CREATE INDEX sessions_by_created ON sessions (org, created_at, id, owner, sharing);
CREATE INDEX sessions_by_name ON sessions (org, name_key, id, owner, sharing);
CREATE INDEX sessions_by_status ON sessions (org, status, active_at, id, owner, sharing);
CREATE INDEX sessions_by_active_in_fleet ON sessions (active_at, id);
CREATE INDEX sessions_by_owner ON sessions (org, owner, active_at, id);
CREATE INDEX sessions_by_phase ON sessions (phase, id);
CREATE UNIQUE INDEX sessions_by_idempotency ON sessions (org, owner, idempotency) WHERE idempotency IS NOT NULL;

-- The agents that are switched off; the Organization '' stands for the whole installation.
CREATE TABLE switched_off (
    org TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, agent)
);

-- Usage stays when its session is gone: no reference.
CREATE TABLE usage_facts (
    session TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    dimension TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (session, number)
);
CREATE INDEX usage_by_person ON usage_facts (org, person, began_at);
CREATE INDEX usage_by_org ON usage_facts (org, began_at);

-- The facts of each hour together, written with them: a month has 43,200 minutes, and a page that sums them waits.
CREATE TABLE usage_hours (
    session TEXT COLLATE "C" NOT NULL,
    dimension TEXT COLLATE "C" NOT NULL,
    -- The hour in which the facts began.
    began_at BIGINT NOT NULL,
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (session, dimension, began_at)
);
CREATE INDEX usage_hours_by_person ON usage_hours (org, person, began_at);
CREATE INDEX usage_hours_by_org ON usage_hours (org, began_at);

-- The last position that was given away in each ledger. Whoever takes one holds the row until the end of the
-- transaction: positions become visible in their own order, and a reader who goes on from one misses nothing.
CREATE TABLE ledgers (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);
INSERT INTO ledgers (name, last) VALUES ('audit', 0), ('events', 0);

CREATE TABLE events (
    position BIGINT NOT NULL PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    at BIGINT NOT NULL,
    org TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C",
    shared BIGINT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT
);
CREATE INDEX events_by_org ON events (org, position);

CREATE TABLE audit (
    position BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C",
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    detail TEXT NOT NULL,
    request TEXT
);
CREATE INDEX audit_by_org ON audit (org, position);
CREATE INDEX audit_by_target ON audit (target, position);
