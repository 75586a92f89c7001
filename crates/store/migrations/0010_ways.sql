-- Ways to sign in: what a provider holds a login to, when it last proved whom, and what a person links. See 0001
-- for how this text is read by both databases.

-- The capabilities that a login is held to, a JSON list; NULL: to none, it may do all that its role may.
ALTER TABLE held_logins ADD COLUMN narrowed TEXT;

-- The address that the provider last said, to tell identities apart by; never to find anybody by.
ALTER TABLE identities ADD COLUMN address TEXT;
-- When the provider last proved them; NULL: never yet, or it has disowned them since.
ALTER TABLE identities ADD COLUMN proven_at BIGINT;
UPDATE identities SET proven_at = COALESCE((SELECT MAX(h.proven_at) FROM held_logins h WHERE h.issuer = identities.issuer
    AND h.subject = identities.subject), created_at);

-- A sign-in that makes nobody signed in: the login of whoever links what it proves to themselves.
ALTER TABLE sign_ins ADD COLUMN links TEXT COLLATE "C";

-- What was proven so, until that login says once more that it is meant.
CREATE TABLE proposed_links (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    login TEXT COLLATE "C" NOT NULL REFERENCES logins (id) ON DELETE CASCADE,
    provider TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    address TEXT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX proposed_links_by_login ON proposed_links (login);
CREATE INDEX proposed_links_by_expiry ON proposed_links (expires_at);
