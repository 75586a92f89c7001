// A company's directory: an admin makes its token, copies the base address, and the directory fills a seat; without scripts too.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { accessible, awake, browser, device, fits, page, shot, sizes } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server, binary } from "../harness/server.mjs";

let server, chrome, admin;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  admin = await page(await device(chrome, server));
  await signIn(admin, server);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const section = (at) => at.getByRole("region", { name: "Directory (SCIM)" });
const scim = (token, method, path, body) => fetch(`${server.origin}/scim/v2${path}`, {
  method, body: body && JSON.stringify(body),
  headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
});

test("a token is made in the settings, shown once, and fills a seat that the members show on their own", async () => {
  await admin.goto("/org/settings");
  await awake(admin);
  await section(admin).getByText(`${server.origin}/scim/v2`).waitFor();
  await shot(admin, "directory-empty-desk-light");
  await section(admin).locator("summary").click();
  await section(admin).getByLabel("Name", { exact: true }).fill("Entra ID");
  await section(admin).getByRole("button", { name: "Make token" }).click();
  const secret = section(admin).locator(".notice code");
  await secret.waitFor();
  const token = await secret.textContent();
  assert.match(token, /^sbd_/);
  await section(admin).getByText("Never used").waitFor();
  assert.equal(await secret.textContent(), token, "what came back of the change did not take the secret away");
  await accessible(admin, "a directory's new token");
  await shot(admin, "directory-made-desk-light");
  const members = await page(admin.context());
  await members.goto("/org/members");
  await awake(members);
  const made = await scim(token, "POST", "/Users", { userName: "dora@acme.test", displayName: "Dora Directory", active: true });
  assert.equal(made.status, 201, await made.clone().text());
  await members.getByRole("row").filter({ hasText: "Dora Directory" }).waitFor();
  await members.goto("/audit");
  await members.getByText("directory Entra ID").first().waitFor();
  await quiet(members);
  await members.close();
  await admin.reload();
  await awake(admin);
  assert.equal(await admin.getByText(token).count(), 0);
  await section(admin).getByText(/^Used/).waitFor();
  for (const [size, scheme] of Object.keys(sizes).flatMap((size) => [[size, "light"], [size, "dark"]])) {
    const own = await device(chrome, server, { size, scheme, storageState: await admin.context().storageState() });
    const look = await page(own);
    await look.goto("/org/settings");
    await awake(look);
    await section(look).getByText("Entra ID").waitFor();
    await section(look).locator("summary").click();
    await fits(look, `the directory on a ${size}`);
    await accessible(look, `the directory on a ${size}, ${scheme}`);
    await shot(look, `directory-${size}-${scheme}`);
    await own.close();
  }
  await section(admin).getByRole("button", { name: "Revoke Entra ID" }).click();
  await section(admin).getByText("Revoked").waitFor();
  assert.equal((await scim(token, "GET", "/Users")).status, 401);
  await quiet(admin);
});

test("without scripts the token is on a page of its own, and a refused form comes back", async () => {
  const state = await admin.context().storageState();
  const plain = await page(await device(chrome, server, { javaScriptEnabled: false, storageState: state }));
  await plain.goto("/org/settings");
  await section(plain).locator("summary").click();
  await section(plain).getByLabel("Name", { exact: true }).fill(" ");
  await section(plain).getByRole("button", { name: "Make token" }).click();
  await plain.getByText("A token's name has 1 to 100 characters.").waitFor();
  await shot(plain, "directory-refused-plain");
  await section(plain).getByLabel("Name", { exact: true }).fill("Okta");
  await section(plain).getByRole("button", { name: "Make token" }).click();
  const token = await plain.locator("code").textContent();
  assert.equal((await scim(token, "GET", "/Users")).status, 200);
  await shot(plain, "directory-made-plain");
  await plain.getByRole("link", { name: "Back to the settings" }).click();
  await section(plain).getByRole("button", { name: "Revoke Okta" }).click();
  await section(plain).getByText("Revoked").first().waitFor();
  assert.equal((await scim(token, "GET", "/Users")).status, 401);
});

test("a token whose maker governs no more rests, says so, and is taken over by one button", async () => {
  const member = (role) => {
    const made = spawnSync(binary, ["member", "--data-dir", server.data, "--email", "eve@example.test", "--name", "Eve", "--role", role, "--in", "local"], { encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
  };
  member("org-admin");
  const eve = await page(await device(chrome, server));
  await signIn(eve, server, server.signInLink("--email", "eve@example.test"));
  await eve.goto("/org/settings");
  await awake(eve);
  await section(eve).locator("summary").click();
  await section(eve).getByLabel("Name", { exact: true }).fill("Eve's Okta");
  await section(eve).getByRole("button", { name: "Make token" }).click();
  const token = await section(eve).locator(".notice code").textContent();
  assert.equal((await scim(token, "GET", "/Users")).status, 200);
  const { members } = await (await admin.request.get("/api/v1/orgs/local/members?search=eve")).json();
  const demoted = await admin.request.patch(`/api/v1/orgs/local/members/${members[0].id}`, { data: { role: "developer" }, headers: { origin: server.origin } });
  assert.ok(demoted.ok(), await demoted.text());
  const refused = await scim(token, "GET", "/Users");
  assert.equal(refused.status, 401);
  assert.match(await refused.text(), /eve@example\.test, who no longer governs/);
  for (const size of Object.keys(sizes)) {
    const own = await device(chrome, server, { size, scheme: size === "tablet" ? "dark" : "light", storageState: await admin.context().storageState() });
    const look = await page(own);
    await look.goto("/org/settings");
    await awake(look);
    await section(look).getByText("Rests", { exact: true }).waitFor();
    await section(look).getByText("whoever made this token no longer governs here").scrollIntoViewIfNeeded();
    await fits(look, `a directory's token that rests on a ${size}`);
    await accessible(look, `a directory's token that rests on a ${size}`);
    await shot(look, `directory-rests-${size}`);
    await own.close();
  }
  await admin.goto("/org/settings");
  await awake(admin);
  await section(admin).getByRole("button", { name: "Take over Eve's Okta" }).click();
  await section(admin).getByText("Rests", { exact: true }).waitFor({ state: "detached" });
  await section(admin).getByRole("listitem").filter({ hasText: "Eve's Okta" }).getByText("By admin@localhost").waitFor();
  assert.equal((await scim(token, "GET", "/Users")).status, 200);
  await shot(admin, "directory-taken-over-desk-light");
  quiet(admin);
});
