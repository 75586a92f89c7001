-- What lets the members of an Organization in, listed for those who govern it: newest first, a page at a time.

CREATE INDEX tokens_by_org ON tokens (org, created_at, id);
CREATE INDEX logins_by_org ON logins (org, created_at, id);
