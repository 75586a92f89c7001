// Before scripts have come, or where they never come: links and forms do the work.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, device, page, shot } from "../harness/browser.mjs";
import { choose, row, sessionOf, signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";

let server, chrome, at;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  at = await page(await device(chrome, server, { javaScriptEnabled: false }));
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

test("a session is created by a form", async () => {
  await signIn(at, server);
  await at.goto("/new");
  await at.locator("label.choice", { hasText: "Shell" }).click();
  await at.getByRole("textbox", { name: "Name" }).fill("Plain");
  await at.getByRole("button", { name: "Open session" }).click();
  await at.waitForURL(/\/sessions\//);
  assert.ok(sessionOf(at));
  await at.goto("/");
  await row(at, "Plain").waitFor();
});

test("it is renamed by a form", async () => {
  await choose(at, "Rename", { of: "Plain" });
  await at.getByRole("textbox", { name: "Name" }).fill("Plainer");
  await at.getByRole("button", { name: "Rename" }).click();
  await row(at, "Plainer").waitFor();
});

test("a wrong form says what is wrong, beside the field, and keeps what was typed", async () => {
  await at.goto("/new");
  await at.locator("label.choice", { hasText: "Shell" }).click();
  await at.getByLabel("Repository").fill("ext::sh -c evil");
  await at.getByRole("textbox", { name: "Branch" }).fill("main");
  await at.getByRole("textbox", { name: "Name" }).fill("Typed & kept");
  await at.getByRole("button", { name: "Open session" }).click();
  await at.locator("#repo-wrong").filter({ hasText: /\w/ }).waitFor();
  assert.equal(new URL(at.url()).search, "", "nothing of it is in the address");
  assert.equal(await at.getByLabel("Repository").inputValue(), "ext::sh -c evil");
  assert.equal(await at.getByRole("textbox", { name: "Branch" }).inputValue(), "main");
  assert.equal(await at.getByRole("textbox", { name: "Name" }).inputValue(), "Typed & kept");
  assert.ok(await at.locator("label.choice", { hasText: "Shell" }).locator("input").isChecked());
  await shot(at, "plain-refused");
  await at.goto("/new");
  assert.equal(await at.getByLabel("Repository").inputValue(), "", "asked for anew, it is a new form");
});

test("a token is made by a form, and its secret is shown once", async () => {
  await at.goto("/settings");
  await at.getByText("New token").click();
  await at.getByRole("textbox", { name: "Name" }).fill("   ");
  await at.getByText("See sessions").click();
  await at.getByRole("button", { name: "Make token" }).click();
  await at.locator("#token-name-wrong").filter({ hasText: /\w/ }).waitFor();
  assert.ok(await at.getByLabel("See sessions").isChecked(), "what was ticked is ticked");
  await at.getByRole("textbox", { name: "Name" }).fill("Plain token");
  await at.getByRole("button", { name: "Make token" }).click();
  const secret = (await at.locator("code").textContent()).trim();
  assert.match(secret, /^sbp_/);
  await shot(at, "plain-token");
  const asked = await fetch(`${server.origin}/api/v1/me`, { headers: { authorization: `Bearer ${secret}` } });
  assert.deepEqual((await asked.json()).capabilities, ["sandbox.session.see"]);
  await at.getByRole("link", { name: "Back to the settings" }).click();
  await at.getByText("Plain token").waitFor();
  assert.ok(!(await at.content()).includes(secret), "and never again");
});

test("the list is searched and filtered by its address", async () => {
  await at.goto("/?q=plain");
  await row(at, "Plainer").waitFor();
  await at.goto("/?q=nothing-like-it");
  assert.equal(await row(at, "Plainer").count(), 0);
  await shot(at, "plain-nothing-found");
});

test("it is suspended, resumed and deleted by forms", async () => {
  await at.goto("/");
  await choose(at, "Suspend", { of: "Plainer" });
  await row(at, "Plainer").getByText("Suspended").first().waitFor();
  await choose(at, "Resume", { of: "Plainer" });
  await row(at, "Plainer").getByText(/Running|Starting|Waiting to start/).first().waitFor();
  await choose(at, "Delete", { of: "Plainer" });
  await at.getByRole("button", { name: "Delete session" }).click();
  await at.waitForURL(`${server.origin}/`);
  assert.equal(await row(at, "Plainer").count(), 0);
});
