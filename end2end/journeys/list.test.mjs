// The list of sessions, with many in it: search, filter, sort and paging live in the address and on the server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { awake, browser, device, fits, page, shot } from "../harness/browser.mjs";
import { quiet, row, signIn } from "../harness/person.mjs";
import { fill } from "../harness/rows.mjs";
import { Server } from "../harness/server.mjs";

let server, chrome, at, api;
before(async () => {
  server = await Server.start({ options: ["--plan", "sandbox-ent"] });
  chrome = await browser();
  api = await Api.signIn(server);
  await server.end();
  fill(server.data, 120);
  await server.again();
  at = await page(await device(chrome, server));
  await signIn(at, server);
  await awake(at);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const names = () => at.locator("td.c-name a.open").allTextContents();

test("a page of the list is a part of it, and the next page goes on where it ended", async () => {
  const first = await names();
  assert.ok(first.length > 0 && first.length < 120, `${first.length} rows`);
  await at.getByRole("link", { name: "Next page" }).click();
  await at.waitForURL(/after=/);
  await at.waitForFunction((gone) => !document.querySelector("td.c-name a.open")?.textContent.includes(gone), first[0]);
  const second = await names();
  assert.deepEqual(second.filter((name) => first.includes(name)), []);
  await at.goBack();
  await at.waitForURL((url) => !url.search.includes("after="));
  quiet(at);
});

test("what is searched for is in the address, survives a reload and can be sent to a colleague", async () => {
  await at.goto("/");
  await awake(at);
  await at.keyboard.press("/");
  await at.keyboard.type("number 77");
  await at.waitForURL(/q=number/);
  await row(at, "Number 77").waitFor();
  assert.equal((await names()).length, 1);
  await at.reload();
  await row(at, "Number 77").waitFor();
});

test("a filter by status shows only those", async () => {
  await at.goto("/?status=failed");
  await awake(at);
  const words = await at.locator("td.c-status .status").allTextContents();
  assert.ok(words.length > 0);
  assert.ok(words.every((word) => /Failed/.test(word)), words.join());
});

test("sorted by name, the first comes first", async () => {
  await at.goto("/?sort=name");
  await awake(at);
  const shown = await names();
  assert.deepEqual(shown, [...shown].sort());
});

test("a session that another door opens appears in the list by itself", async () => {
  await at.goto("/");
  await awake(at);
  await api.openSession({ name: "From elsewhere" });
  await row(at, "From elsewhere").waitFor();
  await row(at, "From elsewhere").getByText("Running").first().waitFor();
  await fits(at, "the list");
  await shot(at, "list-many");
  quiet(at);
});
