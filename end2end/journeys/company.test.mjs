// A company lives here, from its first day: made by those who run the installation, its people let in by their own identity
// provider, a contractor for two weeks, a limit that is reached and raised from a phone, a key that two people get, an
// agent that is taken from everybody, a laptop that is one more device, and the audit that knows of it all.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, awake, browser, device, fits, page, shot, sizes } from "../harness/browser.mjs";
import { Laptop } from "../harness/laptop.mjs";
import { openSession, quiet, signIn } from "../harness/person.mjs";
import { Server, binary, until } from "../harness/server.mjs";
import { runs, shows } from "../harness/terminal.mjs";

const { Realm } = await import(process.env.SANDBOX_E2E_REALM ?? "../harness/realm.mjs");
/** Who sits in another Organization of the same installation, those who run it among them. */
const ELSEWHERE = /zoe|elsewhere|admin@localhost/i;
const PASSWORD = "correct horse battery staple";
const laptop = new Laptop();
let realm, server, chrome, boss, ada, dora, ned, cleo, thumb, shared;

before(async () => {
  realm = await Realm.start();
  for (const [name, group] of Object.entries({ ada: "/acme/admins", dora: "/acme/developers", ned: "/acme/developers" }))
    realm.add(name, PASSWORD, { name: name[0].toUpperCase() + name.slice(1), email: `${name}@acme.test`, email_verified: true, org_id: "acme", groups: [group] });
  const config = join(mkdtempSync(join(tmpdir(), "sandbox-realm-")), "providers.toml");
  writeFileSync(config, `[[provider]]\nid = "realm"\nlabel = "Acme"\nissuer = "${realm.issuer}"\nclient_id = "${realm.client.id}"\nclient_secret = "${realm.client.secret}"\n`);
  server = await Server.start({ options: ["--oidc-config", config] });
  realm.open(server.origin);
  const made = spawnSync(binary, ["member", "--data-dir", server.data, "--email", "zoe@elsewhere.test", "--role", "owner", "--in", "elsewhere"], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  chrome = await browser();
});
after(async () => {
  laptop.dispose();
  await chrome?.close();
  await server?.dispose();
  await realm?.dispose();
});

/** Somebody at a device of their own, let in by the company's provider. */
async function arrive(name, { to = "/", ...options } = {}) {
  const opened = await page(await device(chrome, server, options));
  await until(async () => {
    await opened.goto(to);
    return (await opened.getByRole("status").count()) === 0;
  }, "the provider answers", 30_000);
  await opened.getByRole("link", { name: "Sign in with Acme" }).click();
  await opened.locator(realm.form.username).fill(name);
  await opened.locator(realm.form.password).fill(PASSWORD);
  await opened.locator(realm.form.submit).click();
  await opened.waitForURL((url) => url.origin === server.origin);
  return opened;
}

const unfold = (at, word) => at.locator("summary", { hasText: word }).click();
const row = (at, name) => at.getByRole("row").filter({ hasText: name });

test("whoever runs the installation makes the company's Organization", async () => {
  boss = await page(await device(chrome, server));
  await signIn(boss, server);
  await boss.goto("/fleet");
  await awake(boss);
  await unfold(boss, "New Organization");
  await boss.getByLabel("Name", { exact: true }).fill("Acme Rockets");
  await boss.getByLabel("Slug").fill("acme");
  await boss.getByLabel("Address of its first owner").fill("olga@acme.test");
  await boss.getByLabel("Seats").fill("6");
  await boss.getByLabel("Plan").selectOption("sandbox-ent");
  await boss.getByRole("button", { name: "Make it" }).click();
  await boss.locator(".command code").first().waitFor();
  quiet(boss);
});

test("her admin comes by the company's provider, and lets everybody run three at once", async () => {
  ada = await arrive("ada", { to: "/org/quotas" });
  await awake(ada);
  await ada.getByRole("heading", { name: "Acme Rockets" }).waitFor();
  const everybody = ada.getByRole("region", { name: "Everybody" });
  await everybody.locator("summary").click();
  await everybody.getByLabel("Running sessions").fill("3");
  await everybody.getByRole("button", { name: "Set limits" }).click();
  await everybody.getByRole("row", { name: /Running sessions/ }).getByText("3 sessions").waitFor();
  quiet(ada);
});

test("a developer comes by the same provider and fills what she may run", async () => {
  dora = await arrive("dora");
  for (const name of ["One", "Two", "Three"]) {
    const id = await openSession(dora, { name });
    shared ??= `/sessions/${id}`;
  }
  await dora.goto(shared);
  await awake(dora);
  await shows(dora, /[$#]\s*$/);
  await runs(dora, "echo begun-at-the-$((1 + 1))nd-desk");
  await shows(dora, "begun-at-the-2nd-desk");
  quiet(dora);
});

test("her admin sees who has a seat and what each is using", async () => {
  ned = await arrive("ned");
  await ada.goto("/org");
  await awake(ada);
  await ada.getByRole("heading", { name: "Acme Rockets" }).waitFor();
  const busiest = ada.getByRole("region", { name: "Who runs most now" });
  await busiest.getByText("3 of 3").waitFor();
  await shot(ada, "company-overview-desk-light");
  await accessible(ada, "the overview of a company at work");
  await ada.goto("/org/members");
  await row(ada, "Dora").getByText("3 of 3").waitFor();
  await row(ada, "Ned").getByText("0 of 3").waitFor();
  await shot(ada, "company-members-desk-light");
  await accessible(ada, "members with their limits");
  assert.doesNotMatch(await ada.textContent("body"), ELSEWHERE);
});

test("she invites a contractor for two weeks with a small quota", async () => {
  await ada.goto("/org/members");
  await awake(ada);
  await unfold(ada, "Invite somebody");
  for (const [label, value] of Object.entries({ "E-mail address": "cleo@contractor.test", "Seat for, in days": "14", "Running sessions at most": "1" }))
    await ada.getByLabel(label).fill(value);
  await ada.getByRole("button", { name: "Make the link" }).click();
  const link = await ada.locator(".command code").first().textContent();
  cleo = await page(await device(chrome, server, { size: "phone" }));
  await cleo.goto(link);
  await cleo.getByLabel("Your name").fill("Cleo Contractor");
  await fits(cleo, "an invitation on a phone");
  await cleo.getByRole("button", { name: /^Join/ }).click();
  await cleo.waitForURL(`${server.origin}/`);
  await row(ada, "Cleo Contractor").getByText("Ends in 14 days").waitFor();
  await row(ada, "Cleo Contractor").getByText("0 of 1").waitFor();
});

test("she binds a test key, and only the sessions of two people get it", async () => {
  await ada.goto("/org/secrets");
  await awake(ada);
  await ada.getByText("New secret").click();
  await ada.getByLabel("Name", { exact: true }).fill("STRIPE_TEST_KEY");
  await ada.getByLabel("Value", { exact: true }).fill("sk_test_canary_of_acme");
  await ada.getByRole("button", { name: "Add secret" }).click();
  await ada.getByRole("link", { name: "Bind STRIPE_TEST_KEY" }).click();
  for (const name of ["Dora", "Cleo Contractor"]) await ada.getByRole("dialog").getByLabel(name, { exact: true }).check();
  await ada.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await ada.locator(".secret-who", { hasText: "Dora" }).waitFor();
  const has = "printenv STRIPE_TEST_KEY | tr a-z A-Z || true; echo looked";
  await openSession(cleo, { name: "Contract" });
  await awake(cleo);
  await runs(cleo, has);
  await shows(cleo, "SK_TEST_CANARY_OF_ACME", 30_000);
  await openSession(ned, { name: "Not Ned's" });
  await awake(ned);
  await runs(ned, `${has}; printenv STRIPE_TEST_KEY || echo no''ne`);
  await shows(ned, "none", 30_000);
});

test("a fourth session is refused with its limit and who can raise it, and asked for with one click", async () => {
  await dora.goto("/new");
  await awake(dora);
  const full = dora.getByText("3 of 3 sessions are running. Suspend or delete one, or ask ada@acme.test for more.");
  await full.waitFor();
  await dora.locator("label.choice", { hasText: "Shell" }).first().click();
  await dora.getByLabel("Name").fill("Four");
  await dora.getByRole("button", { name: "Open session" }).click();
  await dora.getByRole("alert").getByText("3 of 3 sessions are running").waitFor();
  await shot(dora, "company-full-desk-light");
  await accessible(dora, "a page that is full");
  await dora.getByRole("button", { name: "Ask for 4 sessions" }).click();
  await dora.getByRole("status").getByText(/You asked for more/).waitFor();
  await shot(dora, "company-asked-desk-light");
});

test("the admin grants it from a phone, and the developer goes on without a reload", async () => {
  thumb = await arrive("ada", { size: "phone" });
  await awake(thumb);
  await thumb.getByRole("link", { name: "More" }).click();
  await thumb.getByRole("main").getByRole("link", { name: "Organization", exact: true }).click();
  await thumb.getByText("1 request waits").waitFor();
  await shot(thumb, "company-waits-phone-light");
  await thumb.getByRole("link", { name: "Answer", exact: true }).click();
  await thumb.getByText("All of mine are at work").waitFor();
  await shot(thumb, "company-request-phone-light");
  await fits(thumb, "a request on a phone");
  await thumb.getByRole("button", { name: "Grant" }).click();
  await thumb.getByText("Nobody waits for an answer.").waitFor();
  await dora.getByText("There is room for a session now.").waitFor();
  await dora.getByRole("button", { name: "Open session" }).click();
  await dora.waitForURL(/\/sessions\/[a-z0-9-]+$/);
  await runs(dora, "printenv STRIPE_TEST_KEY | tr a-z A-Z");
  await shows(dora, "SK_TEST_CANARY_OF_ACME", 30_000);
  quiet(thumb);
  quiet(dora);
});

test("several requests are answered together, and what is refused of them is said", async () => {
  for (const [asker, wanted] of [[dora, 5], [ned, 4], [cleo, 2]]) {
    const asked = await asker.request.post("/api/v1/quota/requests", { data: { dimension: "concurrent_sessions", wanted, why: "More" }, headers: { origin: server.origin } });
    assert.equal(asked.status(), 201, await asked.text());
  }
  await ada.goto("/org/quotas");
  await awake(ada);
  await ada.getByLabel("All on this page").check();
  await ada.getByText("3 chosen").waitFor();
  await shot(ada, "company-requests-chosen-desk-light");
  await accessible(ada, "requests that are chosen");
  await ada.getByLabel(/Choose the request of Cleo/).uncheck();
  await ada.getByRole("button", { name: "Grant as asked" }).click();
  await ada.getByText("1 request answered.").or(ada.getByText("2 requests answered.")).waitFor();
  await ada.getByRole("listitem").filter({ hasText: "Cleo" }).first().waitFor();
  const left = await ada.request.get("/api/v1/orgs/acme/quota-requests?state=waiting");
  assert.deepEqual((await left.json()).requests.map(({ email }) => email), ["cleo@contractor.test"]);
});

test("what the company records is said to everybody in it, masked, and read by its owner alone", async () => {
  await ada.goto("/org/policy");
  await awake(ada);
  await ada.getByLabel("Recording terminals").selectOption("yes");
  await ada.getByRole("button", { name: "Save", exact: true }).click();
  await ada.getByText("Version 1, by ada@acme.test").waitFor();
  const id = await openSession(dora, { name: "Taped" });
  await awake(dora);
  await dora.getByText("Recorded", { exact: true }).first().waitFor();
  await runs(dora, "printenv STRIPE_TEST_KEY; echo said-$((40 + 2))");
  await shows(dora, /sk_test_canary_of_acme\nsaid-42/, 30_000);
  const recording = `/api/v1/sandbox/sessions/${id}/recording`;
  const text = await until(async () => {
    const answer = await dora.request.get(recording);
    const text = await answer.text();
    return answer.status() === 200 && text.includes("said-42") && text;
  }, "the recording has what was said");
  assert.equal(JSON.parse(text.split("\n")[0]).version, 2);
  assert.match(text, /\*{8}/);
  assert.doesNotMatch(text, /canary/);
  for (const other of [ada, ned, boss]) assert.ok([403, 404].includes((await other.request.get(recording)).status()), "nobody else reads it");
  await dora.locator("details.menu", { has: dora.getByLabel("Actions for this session", { exact: true }) }).locator("summary").click();
  await shot(dora, "company-recorded-desk-light");
  await accessible(dora, "a session that is recorded");
  const [file] = await Promise.all([dora.waitForEvent("download"), dora.getByRole("link", { name: "Download recording" }).click()]);
  assert.equal(file.suggestedFilename(), `${id}-agent.cast`);
});

test("her laptop signs in by a code, and is one more device of the session that began in the browser", async () => {
  const login = laptop.run("login", "--server", server.origin, "--name", "doras-laptop");
  const said = await login.says(/\/device\?\S+/);
  const phone = await arrive("dora", { to: said.match(/\/device\?[^\s"]+/)[0], size: "phone" });
  await phone.getByRole("heading", { name: "Sign doras-laptop in?" }).waitFor();
  await shot(phone, "device-question-phone-light");
  await accessible(phone, "the question of a device");
  await fits(phone, "the question of a device");
  await phone.getByRole("button", { name: "Approve" }).click();
  await login.says("Signed in at");
  assert.equal(await login.ended, 0);

  const listed = laptop.run("sessions", "list");
  await listed.says("Three");
  assert.equal(await listed.ended, 0);
  await dora.goto(shared);
  await awake(dora);
  const attached = laptop.run("attach", "One");
  await attached.says("begun-at-the-2nd-desk");
  await dora.locator("button:visible", { hasText: "Take control" }).first().click().catch(() => {});
  attached.types("echo from-the-$((40 + 2))-laptop\r");
  await attached.says("from-the-42-laptop");
  await shows(dora, "from-the-42-laptop");
  // The phone in her other hand shows the same screen.
  await phone.goto(shared);
  await awake(phone);
  await shows(phone, "from-the-42-laptop");
  await shot(phone, "company-session-phone-light");
  attached.types("\x1d");
  await attached.ended;
  await runs(dora, "echo still-$((40 + 2))-here");
  await shows(dora, "still-42-here");
  await shows(phone, "still-42-here");
  quiet(phone);
});

test("the super-admin sees every Organization on one page, takes an agent from everybody, and reads nobody's terminal", async () => {
  await boss.goto("/fleet");
  await awake(boss);
  await row(boss, "Acme Rockets").waitFor();
  await row(boss, "elsewhere").waitFor();
  await shot(boss, "company-fleet-desk-light");
  await boss.goto("/agents");
  await awake(boss);
  const card = boss.getByRole("listitem").filter({ has: boss.getByRole("heading", { name: "Shell" }) });
  await card.locator("summary").click();
  await card.getByRole("button", { name: "Switch off for everybody" }).click();
  await card.getByText("Off for everybody").waitFor();
  await ned.goto("/new");
  await awake(ned);
  await ned.locator("label.choice", { hasText: "Shell" }).getByText("Switched off").waitFor();
  const refused = await ned.request.post("/api/v1/sandbox/sessions", { data: { agent: "shell" }, headers: { origin: server.origin } });
  assert.ok(refused.status() >= 400, "an agent that is switched off is not opened");
  await card.locator("summary").click();
  await card.getByRole("button", { name: "Switch on for everybody" }).click();

  await boss.goto(shared);
  await boss.waitForLoadState();
  assert.equal(await boss.locator(".xterm-rows").count(), 0, "no terminal for whoever runs the installation");
  assert.doesNotMatch(await boss.textContent("body"), /begun-at-the/);
  await shot(boss, "company-no-terminal-desk-light");
});

test("the admin finds in the audit who read what", async () => {
  await ada.goto("/org/audit");
  await awake(ada);
  await ada.getByLabel("What", { exact: true }).selectOption("secret.delivered");
  await ada.waitForURL(/action=secret\.delivered/);
  // The address goes first, the list follows.
  await row(ada, "Device signed in").waitFor({ state: "detached" });
  await row(ada, "STRIPE_TEST_KEY given").first().waitFor();
  const text = await ada.getByRole("table").textContent();
  assert.match(text, /dora@acme\.test/);
  assert.match(text, /cleo@contractor\.test/);
  assert.doesNotMatch(text, /ned@acme\.test/);
  await shot(ada, "company-audit-secret-desk-light");
  await ada.goto("/org/audit");
  await shot(ada, "company-audit-desk-light");
  const phone = await arrive("ada", { to: "/org/audit?action=secret.delivered", size: "phone" });
  await awake(phone);
  await phone.getByText("STRIPE_TEST_KEY").first().waitFor();
  await shot(phone, "company-audit-phone-light");
  await fits(phone, "the audit on a phone");
  // Nothing of the company is found by anybody else, and the key by nobody.
  for (const path of ["orgs/acme/members", "orgs/acme/invitations", "audit?limit=200", "sandbox/sessions"].map((path) => `/api/v1/${path}`)) {
    const answer = await ada.request.get(path);
    assert.equal(answer.status(), 200, path);
    assert.doesNotMatch(await answer.text(), ELSEWHERE, path);
  }
  assert.doesNotMatch(await ada.textContent("body"), /canary/);
});

/** What each of them goes to, by a name for the picture; what has to be done there first is done by the function. */
const looks = async () => {
  const members = await (await ada.request.get("/api/v1/orgs/acme/members")).json();
  const { sandboxes: sessions } = await (await dora.request.get("/api/v1/sandbox/sessions")).json();
  const called = (name) => sessions.find((session) => session.name === name).id;
  const [entry] = (await (await ada.request.get("/api/v1/audit?action=policy.changed")).json()).entries;
  const asleep = await dora.request.post(`/api/v1/sandbox/sessions/${called("Two")}/suspend`, { headers: { origin: server.origin } });
  assert.ok(asleep.ok(), await asleep.text());
  // What sleeps makes room: filled again, the page of a new session says so.
  const filled = await dora.request.post("/api/v1/sandbox/sessions", { data: { agent: "shell", name: "Five" }, headers: { origin: server.origin } });
  assert.equal(filled.status(), 201, await filled.text());
  const asked = await ned.request.post("/api/v1/quota/requests", { data: { dimension: "concurrent_sessions", wanted: 9, days: 7, why: "A release is due, and each of its branches wants an agent." }, headers: { origin: server.origin } });
  assert.equal(asked.status(), 201, await asked.text());
  return {
    ada: {
      overview: "/org", members: "/org/members", member: `/org/members/${members.members.find(({ name }) => name === "Dora").id}`, secrets: "/org/secrets",
      policy: "/org/policy", tokens: "/org/tokens", audit: "/org/audit", entry: "/org/audit?action=policy.changed", settings: "/org/settings",
      change: `/audit/${entry.position}`, quotas: "/org/quotas",
      chosen: ["/org/quotas", async (at) => {
        await at.getByLabel("All on this page").check();
        await at.getByText("2 chosen").waitFor();
      }],
    },
    dora: {
      sessions: "/", full: ["/new", (at) => at.getByText("5 of 5 sessions are running.").first().waitFor()], usage: "/usage", ways: "/settings", access: "/settings/access", own: "/settings/secrets",
      taped: [`/sessions/${called("Taped")}?panel=open`, (at) => at.getByText("Recorded", { exact: true }).first().waitFor()],
      asleep: `/sessions/${called("Two")}`,
    },
    boss: { fleet: "/fleet", one: "/fleet/acme", floor: "/fleet/policy", across: "/fleet/audit", health: "/fleet/health", agents: "/agents" },
  };
};
let seen;

for (const size of Object.keys(sizes)) {
  for (const scheme of ["light", "dark"]) {
    test(`what each of them sees at the size of a ${size}, ${scheme}`, async () => {
      seen ??= await looks();
      for (const [who, places] of Object.entries(seen)) {
        const at = who === "boss" ? await page(await device(chrome, server, { size, scheme })) : await arrive(who, { size, scheme });
        if (who === "boss") await signIn(at, server);
        for (const [name, place] of Object.entries(places)) {
          const [address, first] = [place].flat();
          const what = `${address} of ${who} (${size}, ${scheme})`;
          assert.equal((await at.goto(address)).status(), 200, what);
          await awake(at);
          await at.locator("h1").first().waitFor();
          await first?.(at);
          await shot(at, `company-${who}-${name}-${size}-${scheme}`);
          await accessible(at, what);
          await fits(at, what);
        }
        quiet(at);
        await at.context().close();
      }
    });
  }
}
