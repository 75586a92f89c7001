-- People who come from identity providers. See 0001 for how this text is read by both databases.

-- Who somebody is, by the provider's issuer and its name for them; never by their e-mail address.
CREATE TABLE identities (
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_by_person ON identities (person);

-- Sign-ins under way: state and browser as hashes, the rest of the secrets encrypted.
CREATE TABLE sign_ins (
    state TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    browser TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    next TEXT NOT NULL,
    sealed TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);

-- The seats that an issuer has given: those it may take away again.
CREATE TABLE provided_seats (
    org TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, person, issuer),
    FOREIGN KEY (org, person) REFERENCES members (org, person)
);
CREATE INDEX provided_seats_by_person ON provided_seats (person, issuer);

-- What is kept beside a login that a provider has proven; it goes with the login.
CREATE TABLE held_logins (
    login TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES logins (id) ON DELETE CASCADE,
    provider TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    sid TEXT COLLATE "C",
    claims TEXT NOT NULL,
    -- Tokens, encrypted.
    kept TEXT NOT NULL,
    -- When to ask the provider again.
    refresh_at BIGINT NOT NULL,
    proven_at BIGINT NOT NULL,
    -- Until when somebody is at it.
    claimed_until BIGINT
);
CREATE INDEX held_logins_by_subject ON held_logins (issuer, subject);
CREATE INDEX held_logins_by_sid ON held_logins (issuer, sid);

-- The words of providers about sign-outs that were heard already.
CREATE TABLE heard (
    issuer TEXT COLLATE "C" NOT NULL,
    jti TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (issuer, jti)
);
CREATE INDEX heard_by_end ON heard (until);
