// Who did what: found, read, proved and taken along; at every size, and without scripts.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { accessible, awake, browser, device, fits, page, shot, sizes } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server, binary, until } from "../harness/server.mjs";

let server, chrome, api, session;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  api = await Api.signIn(server);
  session = await api.openSession({ name: "Fix the login" });
  await api.ask("PATCH", `/api/v1/sandbox/sessions/${session.id}`, { name: "Fix the login page for good" });
  await api.ask("PATCH", `/api/v1/sandbox/sessions/${session.id}`, { sharing: "watch" });
  const minted = await api.ask("POST", "/api/v1/tokens", { name: "laptop" });
  await api.ask("DELETE", `/api/v1/tokens/${minted.body.jti}`);
  await api.ask("PUT", "/api/v1/agents/aider/switch", { enabled: false });
  // Somebody with a link that opens nothing, and somebody who wants what is not theirs to do.
  await fetch(`${server.origin}/sign-in/sbl_nothing`, { method: "POST", headers: { origin: server.origin } });
  const dev = await Api.signIn(server, member("dana@example.org", "developer"));
  const refused = await dev.ask("PATCH", `/api/v1/sandbox/sessions/${session.id}`, { name: "Mine" });
  assert.equal(refused.status, 403);
  member("olga@acme.example", "org-admin", "acme");
  await until(async () => (await api.ask("GET", "/api/v1/audit?action=permit.refused")).body.entries.length === 1, "the refusal is written");
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

/** Adds a member; their sign-in link. */
function member(email, role, org) {
  const more = org ? ["--in", org] : [];
  const asked = spawnSync(binary, ["member", "--data-dir", server.data, "--email", email, "--role", role, ...more], { encoding: "utf8" });
  const link = asked.stdout.match(/https?:\/\/\S+/)?.[0];
  assert.ok(link, asked.stderr);
  return `${server.origin}${new URL(link).pathname}`;
}

const entry = (at, text) => at.getByRole("row").filter({ has: at.getByRole("link", { name: text }) });

test("an admin finds what was renamed, reads what changed, and sees that it is as it was written", async () => {
  const at = await page(await device(chrome, server));
  await signIn(at, server);
  await awake(at);
  await at.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name: "Audit" }).click();
  await at.waitForURL(`${server.origin}/audit`);
  await entry(at, "Session renamed to Fix the login page for good").waitFor();
  await at.getByLabel("What", { exact: true }).selectOption("session.");
  await at.waitForURL(/action=session\./);
  await entry(at, "Access token made").waitFor({ state: "detached" });
  await at.getByRole("link", { name: "Session renamed to Fix the login page for good" }).click();
  await at.waitForURL(/\/audit\/\d+$/);
  const change = at.getByRole("region", { name: "What changed" });
  await change.getByText("Fix the login", { exact: true }).waitFor();
  await change.getByText("Fix the login page for good", { exact: true }).waitFor();
  await at.getByText("As it was written").waitFor();
  // From one entry to everything about its thing, and back out of it.
  await at.getByRole("link", { name: "Its whole history" }).click();
  await at.waitForURL(/target=/);
  await entry(at, "Session opened").waitFor();
  await at.getByRole("link", { name: "Without this thing" }).click();
  await at.waitForURL(`${server.origin}/audit`);
  quiet(at);
});

test("typing a name narrows the list, and what fits nothing says so and leads back", async () => {
  const at = await page(await device(chrome, server));
  await signIn(at, server);
  await at.goto("/audit");
  await awake(at);
  await at.getByLabel("Who").fill("dana");
  await at.waitForURL(/actor=dana/);
  await entry(at, "Tried to rename a session").waitFor();
  await at.getByLabel("Who").fill("nobody at all");
  await at.getByText("Nothing fits").waitFor();
  await shot(at, "audit-empty-desk-light");
  await at.getByRole("link", { name: "Show all entries" }).click();
  await entry(at, "Tried to sign in").waitFor();
  await at.goto("/audit?from=nonsense");
  await at.getByText("is not a day").waitFor();
  await shot(at, "audit-wrong-desk-light");
  quiet(at);
});

test("the same entries come along as a file", async () => {
  const at = await page(await device(chrome, server));
  await signIn(at, server);
  await at.goto("/audit?action=token.");
  await awake(at);
  for (const [word, begins, lines] of [["CSV", "at,org,actor", 4], ["JSON lines", "{\"position\"", 3]]) {
    const arriving = at.waitForEvent("download");
    await at.getByRole("link", { name: word }).click();
    const file = await (await arriving).createReadStream();
    let text = "";
    for await (const piece of file) text += piece;
    assert.ok(text.startsWith(begins), text.slice(0, 80));
    assert.equal(text.split("\n").length, lines, text);
  }
});

test("a super-admin sees every Organization, and narrows to one", async () => {
  const at = await page(await device(chrome, server));
  await signIn(at, server);
  await at.goto("/audit");
  await awake(at);
  await at.getByLabel("Organization").selectOption("*");
  await at.waitForURL(/org=/);
  await at.getByRole("columnheader", { name: "Organization" }).waitFor();
  await shot(at, "audit-fleet-desk-light");
  await at.getByRole("row").filter({ hasText: "acme" }).first().getByRole("link", { name: "acme", exact: true }).click();
  await at.waitForURL(/org=acme/);
  await entry(at, "Session opened").waitFor({ state: "detached" });
  await entry(at, "Member added").waitFor();
  quiet(at);
});

test("an admin of an Organization sees theirs alone, and a developer none", async () => {
  const olga = await page(await device(chrome, server));
  await signIn(olga, server, server.signInLink("--email", "olga@acme.example"));
  await olga.goto("/audit");
  await entry(olga, "Signed in").first().waitFor();
  assert.equal(await olga.getByLabel("Organization").count(), 0);
  assert.equal(await olga.getByText("admin@localhost").count(), 0);
  assert.equal((await olga.goto("/audit?org=local")).status(), 403);
  assert.equal((await olga.goto("/audit/1")).status(), 404);
  const dana = await page(await device(chrome, server));
  await signIn(dana, server, server.signInLink("--email", "dana@example.org"));
  await awake(dana);
  assert.equal(await dana.getByRole("link", { name: "Audit" }).count(), 0);
  assert.equal((await dana.goto("/audit")).status(), 403);
  await shot(dana, "audit-refused-desk-light");
});

test("it works before scripts do", async () => {
  const at = await (await device(chrome, server, { javaScriptEnabled: false })).newPage();
  await signIn(at, server);
  await at.goto("/audit");
  await at.getByLabel("Who").fill("dana");
  await at.getByLabel("What", { exact: true }).selectOption("permit.refused");
  await at.getByRole("button", { name: "Apply" }).click();
  assert.match(at.url(), /actor=dana.*action=permit\.refused/);
  assert.equal(await at.getByRole("row").count(), 2);
  await at.getByRole("link", { name: "Tried to rename a session" }).click();
  await at.getByText("As it was written").waitFor();
});

for (const size of Object.keys(sizes)) {
  for (const scheme of ["light", "dark"]) {
    test(`the audit at the size of a ${size}, ${scheme}`, async () => {
      const context = await device(chrome, server, { size, scheme });
      const at = await page(context);
      await signIn(at, server);
      const renamed = (await api.ask("GET", "/api/v1/audit?action=session.renamed")).body.entries[0].position;
      const refused = (await api.ask("GET", "/api/v1/audit?action=permit.refused")).body.entries[0].position;
      for (const [name, address] of Object.entries({
        audit: "/audit", "audit-fleet": "/audit?org=*", "audit-thing": `/audit?target=${session.id}`,
        "audit-entry": `/audit/${renamed}`, "audit-entry-refused": `/audit/${refused}`,
      })) {
        await at.goto(address);
        await awake(at);
        await at.locator("h1").first().waitFor();
        await shot(at, `${name}-${size}-${scheme}`);
        await accessible(at, `${address} (${size}, ${scheme})`);
        await fits(at, `${address} (${size}, ${scheme})`);
      }
      quiet(at);
      await context.close();
    });
  }
}
