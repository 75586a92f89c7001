// The code of the pages comes in parts: each page brings its own at once, and a part that does not come stops nobody.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { awake, browser, device, page } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";

let server, chrome, session;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  session = await (await Api.signIn(server)).openSession({ name: "in parts" });
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

test("a page asks for its code beside the main module, each piece once, and for no other page's", async () => {
  const context = await device(chrome, server);
  const at = await page(context);
  await signIn(at, server);
  for (const address of ["/", `/sessions/${session.id}`, "/new", "/agents", "/usage", "/settings", "/about", "/org", "/org/members", "/fleet", "/audit", "/settings/secrets"]) {
    // What comes while nothing else happens is not what the page waits for.
    const saving = await context.newPage();
    await saving.addInitScript(() => Object.defineProperty(navigator, "connection", { value: { saveData: true } }));
    const fetched = [];
    saving.on("request", (request) => /\.wasm$/.test(request.url()) && fetched.push(new URL(request.url()).pathname));
    await saving.goto(address);
    await awake(saving);
    const announced = await saving.locator('link[rel="preload"][as="fetch"]').evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
    assert.ok(announced.length > 1, `${address} announces no part`);
    assert.deepEqual([...new Set(fetched)].sort(), announced.sort(), `${address} announces what it needs`);
    await saving.close();
  }
  quiet(at);
  await context.close();
});

test("what the next pages need comes ahead, unless the person saves data", async () => {
  const at = await page(await device(chrome, server));
  const fetched = new Set();
  at.on("request", (request) => /split_\w+/.test(request.url()) && fetched.add(/split_([a-z]+)/.exec(request.url())[1]));
  await signIn(at, server);
  await awake(at);
  await at.waitForSelector('link[rel="prefetch"]', { state: "attached" });
  await at.getByRole("link", { name: "Usage", exact: true }).first().click();
  await at.getByRole("heading", { level: 1, name: /Usage/ }).waitFor();
  assert.ok(fetched.has("list") && fetched.has("own"), [...fetched].join());
  assert.ok(!fetched.has("govern"), "few people govern");
  quiet(at);
});

test("when a part does not come the browser brings the page itself, and it works without", async () => {
  const at = await page(await device(chrome, server));
  await at.route(/split_govern/, (route) => route.abort());
  await signIn(at, server);
  await awake(at);
  await at.evaluate(() => { globalThis.sameDocument = true; });
  await at.getByRole("link", { name: "Organization" }).first().click();
  await at.waitForURL(/\/org$/);
  await at.getByRole("heading", { name: "Figures" }).or(at.getByText("Seats").first()).first().waitFor();
  await at.waitForFunction(() => globalThis.sameDocument === undefined);
  assert.equal(await at.locator("html[data-hydrated]").count(), 0, "it was not woken, for its code is not there");
  // Links and forms are enough, and it wakes when its code comes after all.
  await at.getByRole("link", { name: "Members" }).first().click();
  await at.waitForURL(/\/org\/members$/);
  await at.unroute(/split_govern/);
  await awake(at);
  await at.getByRole("link", { name: "Quotas" }).first().click();
  await at.waitForURL(/\/org\/quotas$/);
});
