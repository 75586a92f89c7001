-- Directories: by whose word a token works, and names as the directory says them. See 0001 for how this text is read by
-- both databases.

-- Who made the token or took it over; NULL: it is not known, and the token is held to nobody.
ALTER TABLE directory_tokens ADD COLUMN maker TEXT COLLATE "C";
-- Since when it opens nothing because its maker governs no more.
ALTER TABLE directory_tokens ADD COLUMN rests_since BIGINT;
-- The audit names the person; where its entry is gone, an address names one at most in an Organization.
UPDATE directory_tokens SET maker = COALESCE(
    (SELECT MIN(a.person) FROM audit a WHERE a.target = directory_tokens.id AND a.org = directory_tokens.org
        AND a.action = 'directory.token-minted'),
    (SELECT MIN(m.person) FROM members m WHERE m.org = directory_tokens.org AND m.email = directory_tokens.made_by
        AND m.status <> 'left'));

-- What the directory says of a name, as it says it, and in lower case to be found by; NULL: it says none.
ALTER TABLE directory_users ADD COLUMN display_name TEXT;
ALTER TABLE directory_users ADD COLUMN display_name_key TEXT COLLATE "C";
ALTER TABLE directory_users ADD COLUMN formatted TEXT;
ALTER TABLE directory_users ADD COLUMN formatted_key TEXT COLLATE "C";
-- Whether it calls the address and the role primary; NULL: it says nothing of it.
ALTER TABLE directory_users ADD COLUMN email_primary BIGINT;
ALTER TABLE directory_users ADD COLUMN role_primary BIGINT;
-- Until now the name that is shown was told back as the directory's. It is that still, unless it only joins the parts.
UPDATE directory_users SET
    display_name = (SELECT m.name FROM members m WHERE m.org = directory_users.org AND m.person = directory_users.person),
    display_name_key =
        (SELECT m.name_key FROM members m WHERE m.org = directory_users.org AND m.person = directory_users.person)
    WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.org = directory_users.org AND m.person = directory_users.person
        AND m.name = TRIM(COALESCE(directory_users.given_name, '') || ' ' || COALESCE(directory_users.family_name, '')));
