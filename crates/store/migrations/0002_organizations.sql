-- Organizations with seats, quotas and policy. See 0001 for how this text is read by both databases.

ALTER TABLE orgs ADD COLUMN kind TEXT NOT NULL DEFAULT 'customer';
ALTER TABLE orgs ADD COLUMN tier TEXT NOT NULL DEFAULT 'sme';
ALTER TABLE orgs ADD COLUMN billing TEXT NOT NULL DEFAULT 'showback';
ALTER TABLE orgs ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
-- The seats that were bought; NULL: as many as wanted.
ALTER TABLE orgs ADD COLUMN seats BIGINT;
-- The plan of its members; NULL: the installation's.
ALTER TABLE orgs ADD COLUMN plan TEXT;
-- What a search finds it by. Rows that are here already are given theirs after this step (src/migrations.rs).
ALTER TABLE orgs ADD COLUMN words TEXT NOT NULL DEFAULT '';

ALTER TABLE members ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
-- When the seat ends by itself.
ALTER TABLE members ADD COLUMN ends_at BIGINT;
ALTER TABLE members ADD COLUMN seen_at BIGINT;
-- The name as it is sorted, and what a search finds the member by; given after this step, like the words above.
ALTER TABLE members ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX members_by_name ON members (org, name_key, person);
CREATE INDEX members_by_joined ON members (org, created_at, person);
CREATE INDEX members_by_role ON members (org, role, status);
-- Every minute somebody asks whose seat has ended.
CREATE INDEX members_by_end ON members (ends_at) WHERE ends_at IS NOT NULL;

-- The groups that the provider or the directory says a member is in.
CREATE TABLE member_groups (
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, person, name),
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);
CREATE INDEX member_groups_by_name ON member_groups (org, name);

CREATE TABLE invitations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    email TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    limits TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    seat_ends_at BIGINT,
    -- Accepted or withdrawn: it counts no more.
    done_at BIGINT
);
CREATE INDEX invitations_by_org ON invitations (org, created_at);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- Limits beside the plan's: of the whole Organization (kind 'org', subject ''), of a group, of a person.
CREATE TABLE quotas (
    org TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    limits TEXT NOT NULL,
    PRIMARY KEY (org, kind, subject)
);

-- Wishes for more, and what came of them. A granted one is a limit of its own for as long as it holds.
CREATE TABLE quota_requests (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    dimension TEXT NOT NULL,
    -- How much; NULL: no limit.
    wanted BIGINT,
    days BIGINT,
    why TEXT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT,
    answered_by TEXT,
    answer TEXT,
    ends_at BIGINT,
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);
CREATE INDEX quota_requests_by_org ON quota_requests (org, state, asked_at);
CREATE INDEX quota_requests_by_person ON quota_requests (org, person, asked_at);

-- Every version of every policy; the Organization '' is the installation.
CREATE TABLE policies (
    org TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    saved_at BIGINT NOT NULL,
    saved_by TEXT NOT NULL,
    PRIMARY KEY (org, version)
);

-- When a session was last opened or woken.
ALTER TABLE sessions ADD COLUMN woken_at BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET woken_at = active_at;

-- What a person runs and keeps is counted for every page: from the index alone, however many sessions they have.
CREATE INDEX sessions_by_owner_sums ON sessions (org, owner, live, storage_bytes);
