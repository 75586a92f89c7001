// The story this console exists for: a terminal that is the same on every device, and outlives the server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, awake, browser, device, fits, page, shot } from "../harness/browser.mjs";
import { choose, openSession, quiet, row, signIn } from "../harness/person.mjs";
import { Server, until } from "../harness/server.mjs";
import { runs, screen, shows } from "../harness/terminal.mjs";

let server, chrome, desk, at, address;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  desk = await device(chrome, server, { size: "desk", scheme: "dark" });
  at = await page(desk);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

test("the first start prints a link that signs in, once", async () => {
  assert.ok(server.link, `the first start prints a link:\n${server.output}`);
  await signIn(at, server, server.link);
  await awake(at);
  const other = await page(await device(chrome, server));
  await other.goto(server.link);
  const button = other.getByRole("button", { name: /sign in/i });
  if (await button.count()) await button.click();
  await other.getByText(/used already or has expired/).waitFor();
  await other.context().close();
});

test("a session with a shell opens and answers to what is typed", async () => {
  await openSession(at, { agent: "Shell", name: "Story" });
  address = at.url();
  await shows(at, /[$#]\s*$/);
  await runs(at, "echo one-$((40 + 2))");
  await shows(at, "one-42");
  await shot(at, "story-desk-dark");
  await accessible(at, "a session with a terminal");
  await fits(at, "a session with a terminal");
  quiet(at);
});

test("after a reload the same screen is there", async () => {
  const earlier = await screen(at);
  await at.reload();
  await awake(at);
  await shows(at, "one-42");
  assert.equal(await screen(at), earlier);
});

test("a phone shows the same live screen, watches, takes control and types", async () => {
  const phone = await device(chrome, server, { size: "phone" });
  const thumb = await page(phone);
  await signIn(thumb, server);
  await thumb.goto(address);
  await awake(thumb);
  await shows(thumb, "one-42");
  // It watches: the desk types, the phone sees it.
  await runs(at, "echo from-the-desk");
  await shows(thumb, "from-the-desk");
  await fits(thumb, "a session on a phone");
  await shot(thumb, "story-phone");
  await thumb.locator("button:visible", { hasText: "Take control" }).first().click();
  await runs(thumb, "echo from-the-phone");
  await shows(thumb, "from-the-phone");
  await shows(at, "from-the-phone");
  await accessible(thumb, "a session on a phone");
  await phone.close();
});

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`after the server got ${signal} the page comes back by itself and the same program goes on`, async () => {
    await at.goto(address);
    await awake(at);
    const button = at.locator("button:visible", { hasText: "Take control" });
    if (await button.count()) await button.first().click();
    await runs(at, `clear; echo pid-$$; read line; echo heard-$line-by-$$`);
    await shows(at, /pid-\d+/);
    const pid = (await screen(at)).match(/pid-(\d+)/)[1];
    await server.end(signal);
    await server.again();
    await until(async () => {
      await runs(at, "").catch(() => {});
      return (await screen(at)).includes(`by-${pid}`);
    }, "the program that waited reads a line", 30_000, () => server.output.slice(-2000));
    await runs(at, "echo still-$$");
    await shows(at, `still-${pid}`);
  });
}

test("what is typed while the server is away arrives once, and nothing is lost", async () => {
  await runs(at, "clear; cat > typed.txt");
  await until(async () => !(await screen(at)).includes("$"), "cat waits");
  await runs(at, "before");
  await shows(at, "before");
  await server.end("SIGKILL");
  await at.keyboard.type("while-away-");
  await server.again();
  await at.keyboard.type("and-after\n");
  await at.keyboard.press("Control+d");
  await runs(at, "clear; cat typed.txt; echo lines-$(wc -l < typed.txt)");
  await shows(at, "lines-2", 30_000);
  assert.match(await screen(at), /^before\nwhile-away-and-after\nlines-2/m);
});

test("a suspended session keeps its last screen, and resumes", async () => {
  await runs(at, "clear; echo last-words");
  await shows(at, "last-words");
  await choose(at, "Suspend");
  await at.locator(".status", { hasText: "Suspended" }).first().waitFor();
  await shows(at, "last-words");
  await choose(at, "Resume");
  await at.locator(".status", { hasText: "Running" }).first().waitFor();
  await until(async () => {
    await runs(at, "echo awake-$((2 + 3))");
    return (await screen(at)).includes("awake-5");
  }, "the resumed shell answers", 20_000, () => server.output.slice(-2000));
});

test("it is renamed, found under its new name, and deleted with its losses named", async () => {
  await choose(at, "Rename");
  await at.getByRole("dialog").getByLabel("Name").fill("Story, retold");
  await at.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await at.getByRole("heading", { name: "Story, retold" }).waitFor();
  await at.goto("/");
  await awake(at);
  await row(at, "Story, retold").waitFor();
  await choose(at, "Delete", { of: "Story, retold" });
  await at.getByRole("dialog").getByText(/cannot be undone/).waitFor();
  await at.getByRole("dialog").getByText(/in \d+ files?/).waitFor();
  await shot(at, "delete-desk-dark");
  await accessible(at, "the question before deleting");
  await at.getByRole("button", { name: "Delete session" }).click();
  await row(at, "Story, retold").waitFor({ state: "detached" });
  quiet(at);
});
