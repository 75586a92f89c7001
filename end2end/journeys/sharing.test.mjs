// A second person: sees nothing by default, watches without disturbing, types only when it is allowed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { awake, browser, device, page, shot } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { addMember } from "../harness/rows.mjs";
import { Server } from "../harness/server.mjs";
import { runs, screen, shows } from "../harness/terminal.mjs";

let server, chrome, api, session, mine, theirs;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  api = await Api.signIn(server);
  await server.end();
  addMember(server.data, { email: "second@localhost", name: "Second Person" });
  await server.again();
  session = await api.openSession({ name: "Shared" });
  mine = await page(await device(chrome, server));
  await signIn(mine, server);
  theirs = await page(await device(chrome, server));
  await signIn(theirs, server, server.signInLink("--email", "second@localhost"));
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const share = async (sharing) => {
  const answer = await api.ask("PATCH", `/api/v1/sandbox/sessions/${session.id}`, { sharing });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
};
const address = () => `/sessions/${session.id}`;

test("a private session does not exist for others", async () => {
  await theirs.goto("/");
  assert.equal(await theirs.getByRole("link", { name: "Shared" }).count(), 0);
  const answer = await theirs.goto(address());
  assert.equal(answer.status(), 404);
});

test("who may watch sees what is typed, and cannot type", async () => {
  await share("watch");
  await mine.goto(address());
  await awake(mine);
  await shows(mine, /[$#]\s*$/);
  await theirs.goto(address());
  await awake(theirs);
  await runs(mine, "echo seen-by-both");
  await shows(theirs, "seen-by-both");
  assert.equal(await theirs.locator("button:visible", { hasText: "Take control" }).count(), 0);
  await theirs.locator(".xterm-screen").first().click();
  await theirs.keyboard.type("echo intruder\n");
  await runs(mine, "echo after-the-attempt");
  await shows(theirs, "after-the-attempt");
  assert.ok(!(await screen(mine)).includes("intruder"));
  await shot(theirs, "watching");
  quiet(theirs);
});

test("a viewer of another size does not change the size of the terminal", async () => {
  await runs(mine, "clear; stty size");
  await shows(mine, /\d+ \d+/);
  const before_ = (await screen(mine)).match(/(\d+ \d+)/)[1];
  const phone = await page(await device(chrome, server, { size: "phone" }));
  await signIn(phone, server, server.signInLink("--email", "second@localhost"));
  await phone.goto(address());
  await awake(phone);
  await shows(phone, before_);
  await runs(mine, "clear; stty size");
  await shows(mine, before_);
  await phone.context().close();
});

test("who may drive takes control, and the owner takes it back", async () => {
  await share("drive");
  const take = (at) => at.locator("button:visible", { hasText: "Take control" }).first().click();
  await take(theirs);
  await runs(theirs, "echo from-the-second");
  await shows(mine, "from-the-second");
  await take(mine);
  await runs(mine, "echo from-the-owner");
  await shows(theirs, "from-the-owner");
});
