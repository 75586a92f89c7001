// Settings, tokens, usage, about.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { awake, browser, device, page } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server, until } from "../harness/server.mjs";

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
  await section.getByText("New token").click();
  await section.getByRole("textbox", { name: "Name" }).fill("a script");
  await section.getByRole("button", { name: "Make token" }).click();
  const token = (await section.locator(".command code").textContent()).trim();
  assert.equal((await asked(token)).status, 200);
  await at.reload();
  await awake(at);
  assert.ok(!(await at.content()).includes(token), "a token is shown once");
  await section.getByRole("button", { name: "Revoke a script" }).click();
  await section.getByText("Revoked", { exact: true }).waitFor();
  assert.equal((await asked(token)).status, 401);
  quiet(at);
});

test("a theme is chosen, and is still there after a reload, from the first paint", async () => {
  const dark = () => at.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await dark();
  await at.getByRole("button", { name: "Dark", exact: true }).click();
  await until(async () => /^(oklch|rgb|color)\(/.test(await dark()) && (await dark()) !== light, "the page is dark");
  const ground = await dark();
  await until(async () => (await at.context().cookies()).some(({ name, value }) => name === "theme" && value === "dark"), "the choice is kept");
  await at.reload();
  assert.equal(await dark(), ground);
  await awake(at);
  assert.equal(await dark(), ground);
});

test("who is signed out is sent to the sign-in page, and the old cookie is worth nothing", async () => {
  const cookie = (await at.context().cookies()).find(({ httpOnly }) => httpOnly);
  await at.getByRole("button", { name: "Sign out" }).first().click();
  await at.waitForURL(/\/sign-in/);
  const answer = await fetch(`${server.origin}/api/v1/sandbox/sessions`, { headers: { cookie: `${cookie.name}=${cookie.value}` } });
  assert.equal(answer.status, 401);
});
