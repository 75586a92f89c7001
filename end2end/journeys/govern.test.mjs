// Governing: an admin invites a contractor for two weeks with a small quota, who asks for more; the admin grants it on a
// phone; a super-admin makes an Organization, suspends it, and opens it again. Every page at three sizes, light and dark.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { accessible, awake, browser, device, fits, page, shot, sizes } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";

let server, chrome, desk, admin;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  desk = await device(chrome, server);
  admin = await page(desk);
  await signIn(admin, server);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

/** Opens the form behind a summary, whatever it was before. */
const unfold = async (at, word) => at.locator("summary", { hasText: word }).click();

async function invite({ email, ...fields }) {
  await admin.goto("/org/members");
  await awake(admin);
  await unfold(admin, "Invite somebody");
  await admin.getByLabel("E-mail address").fill(email);
  for (const [label, value] of Object.entries(fields)) await admin.getByLabel(label).fill(value);
  await admin.getByRole("button", { name: "Make the link" }).click();
  const link = await admin.locator(".command code").first().textContent();
  assert.match(link, /\/join\/sbi_/);
  return link;
}

let contractor, contractorContext;
test("an admin invites a contractor for two weeks with a quota of one session", async () => {
  const link = await invite({ email: "cleo@contractor.test", "Seat for, in days": "14", "Running sessions at most": "1" });
  await admin.getByText("cleo@contractor.test").nth(1).waitFor();
  contractorContext = await device(chrome, server);
  contractor = await page(contractorContext);
  await contractor.goto(link);
  await accessible(contractor, "the page of an invitation");
  await fits(contractor, "the page of an invitation");
  await shot(contractor, "join-desk-light");
  await contractor.getByLabel("Your name").fill("Cleo Contractor");
  await contractor.getByRole("button", { name: /^Join/ }).click();
  await contractor.waitForURL(`${server.origin}/`);
  const again = await page(await device(chrome, server));
  await again.goto(link);
  await again.getByRole("alert").getByText("accepted already").waitFor();
  // The list of members changed on its own.
  await admin.getByRole("row").filter({ hasText: "Cleo Contractor" }).getByText("Ends in 14 days").waitFor();
});

test("the contractor opens one session, is told which limit refuses the second, and asks for more", async () => {
  const { headers } = await contractorApi();
  const open = (name) => fetch(`${server.origin}/api/v1/sandbox/sessions`, {
    method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify({ agent: "shell", name }),
  });
  assert.equal((await open("first")).status, 201);
  const refused = await open("second");
  assert.equal(refused.status, 409);
  const { error, detail } = await refused.json();
  assert.equal(error, "over-quota");
  assert.match(detail, /^1 of 1 sessions are running \(your own limit\)\. .*admin@localhost/);

  await contractor.goto("/usage");
  await awake(contractor);
  await unfold(contractor, "Ask for more");
  await contractor.getByLabel("How much").fill("3");
  await contractor.getByLabel("For how many days").fill("7");
  await contractor.getByLabel("Why", { exact: true }).fill("The release needs two agents and a shell");
  await contractor.getByRole("button", { name: "Ask", exact: true }).click();
  await contractor.getByText("Running sessions: 3 sessions, for 7 days").waitFor();
});

test("the admin grants it from a phone, and the contractor sees it without a reload", async () => {
  const phone = await page(await device(chrome, server, { size: "phone" }));
  await signIn(phone, server);
  await phone.goto("/org/quotas");
  await awake(phone);
  await accessible(phone, "the requests on a phone");
  await shot(phone, "requests-phone-light");
  await phone.getByRole("button", { name: "Grant" }).click();
  await phone.getByText("Nobody waits for an answer.").waitFor();
  await contractor.getByText("Granted", { exact: true }).first().waitFor();
  const { headers } = await contractorApi();
  const quota = await (await fetch(`${server.origin}/api/v1/quota`, { headers })).json();
  assert.equal(quota.limits.concurrentSessions, 3);
  assert.equal(quota.sources.concurrent_sessions.from, "grant");
  quiet(contractor);
  quiet(phone);
});

test("a disabled member is out at once, and a removed one leaves the sessions to somebody", async () => {
  await admin.goto("/org/members");
  await awake(admin);
  await admin.getByRole("link", { name: "Cleo Contractor" }).click();
  await admin.getByRole("button", { name: "Disable" }).click();
  await admin.getByText("Disabled", { exact: true }).first().waitFor();
  await contractor.goto("/");
  await contractor.waitForURL(/\/sign-in/);
  await admin.getByRole("button", { name: "Give access back" }).click();
  await admin.getByRole("button", { name: "Disable" }).waitFor();
  await admin.getByLabel("Their sessions").selectOption({ label: "Hand over to Admin" });
  await admin.getByRole("button", { name: "Remove Cleo Contractor" }).click();
  await admin.waitForURL(/\/org\/members$/);
  await admin.getByRole("row").filter({ hasText: "Cleo Contractor" }).waitFor({ state: "detached" });
  const api = await Api.signIn(server);
  const { body } = await api.ask("GET", "/api/v1/sandbox/sessions");
  // Disabling put it to sleep; the heir wakes it when they want it.
  assert.deepEqual(body.sandboxes.map(({ name, status }) => [name, status]), [["first", "stopped"]]);
});

test("a super-admin makes an Organization, looks at it, suspends it and opens it again", async () => {
  await admin.goto("/fleet");
  await awake(admin);
  await unfold(admin, "New Organization");
  await admin.getByLabel("Name", { exact: true }).fill("Acme Rockets");
  await admin.getByLabel("Slug").fill("prod");
  await admin.getByLabel("Address of its first owner").fill("olga@acme.test");
  await admin.getByLabel("Seats").fill("5");
  await admin.getByRole("button", { name: "Make it" }).click();
  await admin.getByText("The name prod is reserved").waitFor();
  await admin.getByLabel("Slug").fill("acme");
  await admin.getByRole("button", { name: "Make it" }).click();
  const link = await admin.locator(".command code").first().textContent();

  const owner = await page(await device(chrome, server));
  await owner.goto(link);
  await owner.getByLabel("Your name").fill("Olga Owner");
  await owner.getByRole("button", { name: /^Join/ }).click();
  await owner.waitForURL(`${server.origin}/`);
  await owner.goto("/org");
  await owner.getByRole("heading", { name: "Acme Rockets" }).waitFor();
  // The rest of the installation is not there for her.
  assert.equal((await owner.goto("/fleet")).status(), 403);
  assert.equal((await owner.goto("/org?of=local")).status(), 404);

  await admin.goto("/fleet/acme");
  await awake(admin);
  await admin.getByRole("button", { name: "Suspend" }).click();
  await admin.getByRole("button", { name: "Open again" }).waitFor();
  const cookies = (await owner.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const refused = await fetch(`${server.origin}/api/v1/sandbox/sessions`, {
    method: "POST", headers: { cookie: cookies, origin: server.origin, "content-type": "application/json" }, body: JSON.stringify({ agent: "shell" }),
  });
  assert.equal(refused.status, 409);
  assert.equal((await refused.json()).error, "organization-closed");
  await admin.getByRole("button", { name: "Open again" }).click();
  await admin.getByRole("button", { name: "Suspend" }).waitFor();
  quiet(admin);
});

test("a policy is tried on last week before it is saved, and then it holds", async () => {
  await admin.goto("/org/policy");
  await awake(admin);
  await admin.getByText("Nothing is restricted").waitFor();
  await admin.getByLabel("Only these").check();
  await admin.getByLabel("Aider", { exact: true }).check();
  await admin.getByRole("button", { name: "Try on last week" }).click();
  await admin.getByText(/^1 would have been refused/).waitFor();
  await admin.getByText("Your Organization does not allow the agent shell.").waitFor();
  await shot(admin, "policy-tried-desk-light");
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await admin.getByText("Version 1, by admin@localhost").waitFor();
  const api = await Api.signIn(server);
  const refused = await api.ask("POST", "/api/v1/sandbox/sessions", { agent: "shell" });
  assert.deepEqual([refused.status, refused.body.error], [400, "policy-agent"]);
  await admin.getByLabel("All that are installed and switched on").check();
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await admin.getByText("Version 2, by admin@localhost").waitFor();
  quiet(admin);
});

test("every page of governing fits and reads at three sizes, light and dark", async () => {
  const seat = await (await Api.signIn(server)).ask("GET", "/api/v1/orgs/local/members");
  const [me] = seat.body.members;
  await invite({ email: "waiting-with-a-long-address@a-long-company-name.example" });
  const places = {
    org: "/org", members: "/org/members", member: `/org/members/${me.id}`, quotas: "/org/quotas", "org-settings": "/org/settings",
    policy: "/org/policy", "fleet-policy": "/fleet/policy", more: "/usage#more", fleet: "/fleet", "fleet-one": "/fleet/acme", "other-members": "/org/members?of=acme", "members-none": "/org/members?q=nobody",
  };
  for (const size of Object.keys(sizes)) {
    for (const scheme of ["light", "dark"]) {
      const context = await device(chrome, server, { size, scheme });
      const at = await page(context);
      await signIn(at, server);
      for (const [name, address] of Object.entries(places)) {
        assert.equal((await at.goto(address)).status(), 200, address);
        await awake(at);
        await shot(at, `${name}-${size}-${scheme}`);
        await accessible(at, `${address} (${size}, ${scheme})`);
        await fits(at, `${address} (${size}, ${scheme})`);
      }
      quiet(at);
      await context.close();
    }
  }
});

async function contractorApi() {
  const cookies = await contractorContext.cookies();
  return { headers: { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "), origin: server.origin } };
}
