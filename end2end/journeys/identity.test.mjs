// A company's people come with the company's own identity provider. The provider is data: SANDBOX_E2E_REALM names a module
// whose `Realm` does what ours does (harness/realm.mjs), so that Keycloak can stand in its place.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, browser, device, fits, page, shot } from "../harness/browser.mjs";
import { Server, binary, until } from "../harness/server.mjs";

const { Realm } = await import(process.env.SANDBOX_E2E_REALM ?? "../harness/realm.mjs");
const PASSWORD = "correct horse battery staple";
let realm, server, chrome;

before(async () => {
  realm = await Realm.start();
  for (const [name, claims] of Object.entries({
    ada: { org_id: "acme", groups: ["/acme/admins", "/beta/developers"], realm_access: { roles: ["offline_access"] } },
    bob: { org_id: "acme", groups: ["/acme/viewers"] },
    sam: { org_id: "acme", realm_access: { roles: ["sovereign-admin"] } },
    eve: { groups: ["/marketing"] },
    dan: { org_id: "acme" },
    tim: { org_id: "acme" },
    rik: { org_id: "acme" },
    kim: { org_id: "acme", capabilities: ["sandbox.session.see", "sandbox.quota.see"] },
    una: { org_id: "acme", groups: ["/acme/developers"] },
    "una.at.home": { org_id: "acme" },
  })) realm.add(name, PASSWORD, { name: name[0].toUpperCase() + name.slice(1), email: `${name}@acme.test`, email_verified: true, ...claims });
  const folder = mkdtempSync(join(tmpdir(), "sandbox-realm-"));
  const config = join(folder, "providers.toml");
  writeFileSync(config, `[[provider]]\nid = "realm"\nlabel = "Acme"\nissuer = "${realm.issuer}"\nclient_id = "${realm.client.id}"\nclient_secret = "${realm.client.secret}"\n`);
  server = await Server.start({ options: ["--oidc-config", config] });
  for (const org of ["acme", "beta"]) {
    const made = spawnSync(binary, ["member", "--data-dir", server.data, "--email", `owner@${org}.test`, "--role", "owner", "--in", org], { encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
  }
  chrome = await browser();
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
  await realm?.dispose();
});

/** Fills in the provider's form. */
async function prove(opened, name, password = PASSWORD) {
  await opened.locator(realm.form.username).fill(name);
  await opened.locator(realm.form.password).fill(password);
  await opened.locator(realm.form.submit).click();
}

/** Somebody at a browser of their own, signed in by the provider. */
async function arrive(name, { to = "/", ...options } = {}) {
  const opened = await page(await device(chrome, server, options));
  await opened.goto(to);
  await opened.getByRole("link", { name: "Sign in with Acme" }).click();
  await prove(opened, name);
  await opened.waitForURL((url) => url.origin === server.origin);
  return opened;
}

/** What the server says of whoever uses this browser. */
async function me(opened) {
  const answer = await opened.request.get("/api/v1/me");
  return { status: answer.status(), ...(await answer.json()) };
}

test("a provider that does not answer keeps nobody from starting, and the sign-in page says so", async () => {
  const opened = await page(await device(chrome, server));
  await until(async () => {
    await opened.goto("/sign-in");
    return (await opened.getByRole("status").count()) > 0;
  }, "the page says that the provider does not answer");
  assert.match(await opened.getByRole("status").textContent(), /Acme does not answer/);
  realm.open(server.origin);
  await until(async () => {
    await opened.goto("/sign-in");
    return (await opened.getByRole("status").count()) === 0;
  }, "the provider is found again", 30_000);
  await accessible(opened, "the sign-in page");
  await fits(opened, "the sign-in page");
  await shot(opened, "sign-in-provider");
  await opened.context().close();
});

test("whoever is sent to sign in arrives where they wanted to go, as what their groups say", async () => {
  const opened = await arrive("ada", { to: "/usage" });
  assert.equal(new URL(opened.url()).pathname, "/usage");
  const { org, role, email, name } = await me(opened);
  assert.deepEqual({ org, role, email, name }, { org: "acme", role: "org-admin", email: "ada@acme.test", name: "Ada" });
  await opened.context().close();
});

test("a wrong password is the provider's to refuse, and nobody is in", async () => {
  const opened = await page(await device(chrome, server));
  await opened.goto("/sign-in");
  await opened.getByRole("link", { name: "Sign in with Acme" }).click();
  await prove(opened, "ada", "wrong");
  assert.match(await opened.textContent("body"), /Invalid username or password/);
  assert.equal((await me(opened)).status, 401);
  await opened.context().close();
});

test("realm roles make a super-admin", async () => {
  const opened = await arrive("sam");
  assert.equal((await me(opened)).role, "super-admin");
  await opened.context().close();
});

test("who belongs to no Organization is told what is missing", async () => {
  const opened = await arrive("eve");
  assert.match(await opened.getByRole("alert").textContent(), /claim `org_id` or `org` is missing/);
  assert.equal((await me(opened)).status, 401);
  await accessible(opened, "the page that lets nobody in");
  await opened.context().close();
});

test("the reader's access is explained", async () => {
  const opened = await arrive("ada", { to: "/settings/access" });
  const why = await opened.getByRole("list", { name: "Why" }).textContent();
  assert.match(why, /org-admin in acme/);
  assert.match(why, /developer in beta/);
  assert.ok(!(await opened.textContent("body")).includes(realm.client.secret));
  await accessible(opened, "the page that explains access");
  await shot(opened, "explain-my-access");
  await opened.waitForSelector("html[data-hydrated]", { state: "attached" });
  const pasted = opened.getByRole("region", { name: "What a token would give" });
  await pasted.getByLabel("Token, or its claims as JSON").fill(JSON.stringify({ org_id: "beta", tier: "owner" }));
  await pasted.getByRole("button", { name: "Explain" }).click();
  await pasted.getByRole("status").getByText("owner in beta").waitFor();
  assert.equal((await me(opened)).role, "org-admin", "nothing follows from what was pasted");
  await opened.context().close();
});

test("of two Organizations one is asked in, the other is a choice away, and the place is kept", async () => {
  for (const size of ["desk", "phone"]) {
    const opened = await arrive("ada", { to: "/settings", size });
    const choice = opened.locator("main").getByRole("combobox", { name: "Organization" });
    assert.equal(await choice.inputValue(), "acme");
    await opened.waitForSelector("html[data-hydrated]", { state: "attached" });
    await opened.evaluate(() => { globalThis.before = true; });
    await choice.selectOption("beta");
    await until(async () => (await me(opened)).org === "beta", "the other Organization is asked in");
    // The choice loads the page anew: what is looked at is the new one.
    await opened.waitForFunction(() => globalThis.before === undefined);
    await opened.waitForSelector("html[data-hydrated]", { state: "attached" });
    assert.equal(new URL(opened.url()).pathname, "/settings");
    assert.equal((await me(opened)).role, "developer");
    await fits(opened, `settings on a ${size}`);
    await opened.context().close();
  }
});

test("a link to a session of another of one's Organizations offers the switch", async () => {
  const opened = await arrive("ada");
  const made = await opened.request.post("/api/v1/sandbox/sessions", { data: { agent: "shell", name: "Of acme" }, headers: { origin: server.origin } });
  const { id } = await made.json();
  const there = await opened.request.put("/api/v1/me/organization", { data: { org: "beta" }, headers: { origin: server.origin } });
  assert.equal(there.status(), 204);
  await opened.goto(`/sessions/${id}`);
  await opened.getByRole("button", { name: "Switch to acme" }).click();
  await opened.waitForURL(`**/sessions/${id}`);
  await until(async () => (await me(opened)).org === "acme", "the session's Organization is asked in");
  // Whoever is in one of them alone is told nothing.
  const other = await arrive("bob");
  const answer = await other.goto(`/sessions/${id}`);
  assert.equal(answer.status(), 404);
  assert.equal(await other.getByRole("button", { name: /^Switch to/ }).count(), 0);
  await opened.request.delete(`/api/v1/sandbox/sessions/${id}`, { headers: { origin: server.origin } });
  await opened.context().close();
  await other.context().close();
});

test("what changes at the provider is true after the next refresh", async () => {
  const opened = await arrive("bob");
  assert.equal((await me(opened)).role, "viewer");
  realm.change("bob", { groups: ["/acme/admins"] });
  await until(async () => (await me(opened)).role === "org-admin", "the new role", 20_000);
  realm.change("bob", { org_id: "beta", groups: [] });
  await until(async () => (await me(opened)).status === 401, "the seat is gone", 20_000);
  await opened.context().close();
});

test("an account that is disabled is out at the next refresh", async () => {
  const opened = await arrive("dan");
  assert.equal((await me(opened)).status, 200);
  await realm.disable("dan");
  await until(async () => (await me(opened)).status === 401, "the disabled account is out", 20_000);
  await opened.context().close();
});

test("a token rests while its holder is disabled at the provider, and works again once they have signed in", async () => {
  const opened = await arrive("rik");
  const made = await opened.request.post("/api/v1/tokens", { data: { name: "ci" }, headers: { origin: server.origin } });
  assert.equal(made.status(), 201);
  const { token } = await made.json();
  const program = async () => (await fetch(`${server.origin}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.equal(await program(), 200);
  await realm.disable("rik");
  await until(async () => (await me(opened)).status === 401, "the disabled account is out", 20_000);
  assert.equal(await program(), 401, "the token rests");
  await realm.enable("rik");
  assert.equal(await program(), 401, "nobody has proven its holder yet");
  const again = await arrive("rik");
  assert.equal((await me(again)).status, 200);
  assert.equal(await program(), 200, "the same token works again");
  await opened.context().close();
  await again.context().close();
});

test("an account that is ended is out at once where the provider says so", async () => {
  const opened = await arrive("tim");
  assert.equal((await me(opened)).status, 200);
  await realm.disable("tim", { tell: true });
  assert.equal((await me(opened)).status, 401);
  await opened.context().close();
});

test("who signs out here is signed out at the provider too", async () => {
  const opened = await arrive("ada");
  await opened.goto("/settings");
  await opened.locator("main").getByRole("button", { name: "Sign out" }).first().click();
  await opened.locator(realm.form.signOut).click();
  await opened.waitForURL(`${server.origin}/sign-in*`);
  assert.equal((await me(opened)).status, 401);
  await opened.getByRole("link", { name: "Sign in with Acme" }).click();
  await opened.waitForSelector(realm.form.username);
  await opened.context().close();
});

test("who signs out at the provider is out here at once", async () => {
  const opened = await arrive("ada");
  assert.equal((await me(opened)).status, 200);
  await opened.goto(realm.signOutUrl);
  await opened.locator(realm.form.signOut).click();
  await opened.waitForLoadState();
  assert.equal((await me(opened)).status, 401);
  await opened.context().close();
});

test("a login is held to the capabilities that its token lists, and told so", async () => {
  const opened = await arrive("kim", { to: "/settings/access" });
  await opened.getByText(/capabilities/).first().waitFor();
  await shot(opened, "access-narrowed-desk-light");
  const refused = await opened.request.post("/api/v1/sandbox/sessions", { data: { agent: "shell" }, headers: { origin: server.origin } });
  assert.equal(refused.status(), 403);
  const list = await opened.request.get("/api/v1/sandbox/sessions");
  assert.equal(list.status(), 200);
  await opened.context().close();
});

test("another identity is linked after a question, signs the same person in, and is unlinked", async () => {
  const opened = await arrive("una", { to: "/settings" });
  await opened.waitForSelector("html[data-hydrated]", { state: "attached" });
  const ways = opened.getByRole("region", { name: "Ways to sign in" });
  await ways.getByText("una@acme.test").first().waitFor();
  await ways.scrollIntoViewIfNeeded();
  await shot(opened, "ways-desk-light");
  // The provider knows this browser already, and asks all the same: it may be somebody else who is signed in there.
  await ways.getByRole("button", { name: "Link another from Acme" }).click();
  await opened.waitForSelector(realm.form.username);
  await opened.goto("/settings");
  await opened.waitForSelector("html[data-hydrated]", { state: "attached" });
  // Coming there as somebody else signs whoever was signed in there out, and so here too: they leave first.
  await opened.context().clearCookies({ name: /^_(session|interaction)/ });
  await ways.getByRole("button", { name: "Link another from Acme" }).click();
  await opened.waitForSelector(realm.form.username);
  await prove(opened, "una.at.home");
  await opened.getByRole("heading", { name: "Link this identity?" }).waitFor();
  await accessible(opened, "the question before linking");
  await fits(opened, "the question before linking");
  await shot(opened, "ways-question-desk-light");
  await opened.getByRole("button", { name: /^Link una\.at\.home/ }).click();
  await opened.waitForURL(/\/settings/);
  await opened.waitForSelector("html[data-hydrated]", { state: "attached" });
  await ways.getByText("una.at.home@acme.test").first().waitFor();
  await accessible(opened, "the ways to sign in");
  await shot(opened, "ways-two-desk-light");

  const other = await arrive("una.at.home", { to: "/settings", size: "phone" });
  assert.equal((await me(other)).id, (await me(opened)).id, "the same person");
  await fits(other, "the ways to sign in on a phone");
  await other.locator("#ways").scrollIntoViewIfNeeded();
  await shot(other, "ways-phone-light");

  await ways.getByRole("button", { name: "Unlink una.at.home@acme.test from Acme" }).click();
  await opened.getByText("The identity is unlinked").waitFor();
  await until(async () => (await me(other)).status === 401, "whoever came by it is signed out");
  await opened.context().close();
  await other.context().close();
});
