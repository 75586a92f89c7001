// A person who never touches the mouse.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, awake, browser, device, page, shot } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";
import { shows } from "../harness/terminal.mjs";

let server, chrome, at;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  at = await page(await device(chrome, server));
  await signIn(at, server);
  await awake(at);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

test("letters lead everywhere, and ? tells which", async () => {
  await at.keyboard.press("?");
  await at.getByRole("dialog").getByText("Search and commands").waitFor();
  await accessible(at, "the sheet of keys");
  await at.keyboard.press("Escape");
  await at.getByRole("dialog").waitFor({ state: "detached" });
  for (const [keys, address] of [["ga", "/agents"], ["gu", "/usage"], ["gs", "/"], ["n", "/new"]]) {
    for (const key of keys) await at.keyboard.press(key);
    await at.waitForURL(`${server.origin}${address}`);
  }
});

test("a session is opened without the mouse, and keys then belong to the terminal", async () => {
  await at.goto("/new");
  await awake(at);
  await at.getByLabel("Name").focus();
  await at.keyboard.type("By hand");
  await at.getByRole("radio", { name: /Shell/ }).focus();
  await at.keyboard.press("Space");
  await at.getByLabel("Name").focus();
  await at.keyboard.press("Enter");
  await at.waitForURL(/\/sessions\//);
  await shows(at, /[$#]\s*$/);
  await at.locator(".xterm-helper-textarea").first().focus();
  await at.keyboard.type("echo n?gs");
  await at.keyboard.press("Enter");
  await shows(at, /^n\?gs/m);
  assert.match(at.url(), /\/sessions\//);
  assert.equal(await at.getByRole("dialog").count(), 0);
});

test("what is typed arrives once, by keys and by an on-screen keyboard, on every device", async () => {
  const address = at.url();
  // Nobody else is there: whoever comes has the keyboard.
  await at.goto("/about");
  for (const size of ["desk", "tablet", "phone"]) {
    const other = await page(await device(chrome, server, { size }));
    await signIn(other, server);
    await other.goto(address);
    await awake(other);
    await shows(other, /[$#]\s*$/);
    await other.locator(".xterm-helper-textarea").first().focus();
    await other.keyboard.type("clear; cat -A");
    await other.keyboard.press("Enter");
    await shows(other, /cat -A\s*$|^\s*$/);
    await other.keyboard.type(`Keys: A b  C! ü ~ ${size}`);
    // An on-screen keyboard presses nothing: it edits.
    for (const word of [" swiped", " Words", " é"]) await other.keyboard.insertText(word);
    await other.keyboard.press("Backspace");
    await other.keyboard.type("End");
    await other.keyboard.press("Enter");
    await shows(other, `Keys: A b  C! M-CM-< ~ ${size} swiped Words End$`);
    await other.keyboard.press("Control+d");
    await quiet(other);
    await other.context().close();
  }
});

test("the palette finds a session by a few letters", async () => {
  await at.goto("/about");
  await awake(at);
  await at.keyboard.press("Control+k");
  await at.getByRole("combobox").waitFor();
  await at.keyboard.type("by ha");
  await at.getByRole("option", { name: /By hand/ }).waitFor();
  await shot(at, "palette-desk-light");
  await accessible(at, "the palette");
  await at.keyboard.press("Enter");
  await at.waitForURL(/\/sessions\//);
});

test("every step of Tab shows where it is", async () => {
  await at.goto("/");
  await awake(at);
  for (let step = 0; step < 12; step++) {
    await at.keyboard.press("Tab");
    const seen = await at.evaluate(() => {
      const { activeElement: on } = document;
      const style = getComputedStyle(on);
      return { name: `${on.tagName} ${on.textContent.trim().slice(0, 30)}`, shown: on === document.body || style.outlineStyle !== "none" || style.boxShadow !== "none" };
    });
    assert.ok(seen.shown, `focus is invisible on ${seen.name}`);
  }
  quiet(at);
});
