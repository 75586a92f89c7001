// Settings, tokens, usage, about.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { awake, browser, device, page } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";

let server, chrome, at;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  at = await page(await device(chrome, server));
  await signIn(at, server);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const asked = (token) => fetch(`${server.origin}/api/v1/sandbox/sessions`, { headers: { authorization: `Bearer ${token}` } });

test("a token is made, shown once, works, and is worth nothing when it is revoked", async () => {
  await at.goto("/settings#tokens");
  await awake(at);
  const section = at.locator("#tokens");
  await section.getByLabel("Name").fill("a script");
  await section.getByRole("button", { name: /create|make|new/i }).first().click();
  const token = await section.locator("code, output, input[readonly]").filter({ hasText: /sb\w*_/ }).first().textContent();
  assert.equal((await asked(token.trim())).status, 200);
  await at.reload();
  await awake(at);
  assert.ok(!(await at.content()).includes(token.trim()), "a token is shown once");
  await section.getByRole("button", { name: /revoke/i }).first().click();
  const sure = at.getByRole("dialog").getByRole("button", { name: /revoke/i });
  if (await sure.count()) await sure.click();
  await section.getByText("a script").first().waitFor({ state: "detached" });
  assert.equal((await asked(token.trim())).status, 401);
  quiet(at);
});

test("a theme is chosen, and is still there after a reload, from the first paint", async () => {
  await at.getByRole("radio", { name: "Dark" }).check({ force: true });
  const dark = () => at.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const ground = await dark();
  await at.reload();
  assert.equal(await dark(), ground);
  await awake(at);
  assert.equal(await dark(), ground);
});

test("who is signed out is sent to the sign-in page, and the old cookie is worth nothing", async () => {
  const [cookie] = await at.context().cookies();
  await at.getByRole("button", { name: "Sign out" }).first().click();
  await at.waitForURL(/\/sign-in/);
  const answer = await fetch(`${server.origin}/api/v1/sandbox/sessions`, { headers: { cookie: `${cookie.name}=${cookie.value}` } });
  assert.equal(answer.status, 401);
});
