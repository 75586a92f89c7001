// Many sessions at once, written straight into the database of a server that is stopped: opening thousands one by one
// would measure patience. They sleep or failed, so no process is expected for them.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const script = `
import random, sqlite3, sys, time
path, count = sys.argv[1], int(sys.argv[2])
db = sqlite3.connect(path)
org, person, email, name = db.execute("SELECT org, person, email, name FROM members ORDER BY created_at LIMIT 1").fetchone()
now, rng = int(time.time() * 1000), random.Random(7)
repos = ["https://example.org/team/console.git", "https://example.org/team/billing.git", None]
rows = []
for n in range(count):
    agent, repo = rng.choice(["claude-code", "opencode", "qwen-code", "aider", "shell"]), rng.choice(repos)
    title, failed = f"Number {n}", n % 10 == 0
    words = f"{title}\\n{repo or ''}\\nnumber-{n}-{n:05d}".lower()
    at = now - n * 60_000
    rows.append((f"number-{n}-{n:05d}", org, person, name, email, title, agent, repo, None, "Failed" if failed else "Suspended",
        "The repository could not be cloned: there is no such repository." if failed else None, None, None, "private", at, at, n * 4096, 1, None,
        "failed" if failed else "stopped", 0, title.lower(), words, f"{name}\\n{email}".lower()))
columns = ("id, org, owner, owner_name, owner_email, name, agent, repo, branch, phase, reason, exit_code, exit_signal, sharing, created_at, "
    "active_at, storage_bytes, version, idempotency, status, live, name_key, words, owner_words")
with db:
    db.executemany(f"INSERT INTO sessions ({columns}) VALUES (" + ",".join("?" * 24) + ")", rows)
db.close()
`;

/** Puts `count` sessions called "Number 0", "Number 1" and so on into the data directory's database. */
export function fill(data, count) {
  execFileSync("python3", ["-c", script, join(data, "sandbox.db"), String(count)], { stdio: ["ignore", "inherit", "inherit"] });
}

const colleague = `
import sqlite3, sys, time, uuid
path, email, name, role = sys.argv[1:]
db = sqlite3.connect(path)
with db:
    db.execute("INSERT INTO members (org, person, email, email_key, name, role, created_at, name_key, words) SELECT org, ?, ?, ?, ?, ?, ?, ?, ? FROM members LIMIT 1",
        (str(uuid.uuid4()), email, email.lower(), name, role, int(time.time() * 1000), name.lower(), f"{name}\\n{email}".lower()))
db.close()
`;

/** Makes a member of the only Organization at once; how people are invited is a journey of its own. */
export function addMember(data, { email, name, role = "developer" }) {
  execFileSync("python3", ["-c", colleague, join(data, "sandbox.db"), email, name, role], { stdio: ["ignore", "inherit", "inherit"] });
}

const crowd = `
import sqlite3, sys, time
path, orgs, members = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
db = sqlite3.connect(path)
home = db.execute("SELECT org FROM members ORDER BY created_at LIMIT 1").fetchone()[0]
now = int(time.time() * 1000)
def member(org, n, at):
    name, email = f"Person {n:05d}", f"person-{n:05d}@{org}.example"
    return (org, f"{org}-{n:05d}", email, email, name, ["developer", "developer", "viewer", "org-admin"][n % 4], at, name.lower(), f"{name}\\n{email}".lower(), ["active", "active", "active", "disabled"][n % 4])
with db:
    db.executemany("INSERT INTO orgs (id, display_name, created_at, seats, words) VALUES (?, ?, ?, ?, ?)",
        [(f"org-{n:04d}", f"Organization {n:04d}", now - n * 3_600_000, 50, f"organization {n:04d}\\norg-{n:04d}") for n in range(orgs)])
    people = [member(home, n, now - n * 60_000) for n in range(members)] + [member(f"org-{n:04d}", m, now - m * 60_000) for n in range(orgs) for m in range(3)]
    db.executemany("INSERT INTO members (org, person, email, email_key, name, role, created_at, name_key, words, status) VALUES (?,?,?,?,?,?,?,?,?,?)", people)
    db.executemany("INSERT INTO member_groups (org, person, name) VALUES (?,?,?)", [(home, f"{home}-{n:05d}", f"/team-{n % 40:02d}") for n in range(members)])
db.close()
`;

/** Puts `orgs` Organizations of three people each beside the first one, and `members` people into that. */
export function settle(data, orgs, members) {
  execFileSync("python3", ["-c", crowd, join(data, "sandbox.db"), String(orgs), String(members)], { stdio: ["ignore", "inherit", "inherit"] });
}
