// What a person does in the console, in their words.
import assert from "node:assert/strict";
import { awake } from "./browser.mjs";

/** Opens a one-time link and arrives at the list of sessions, signed in. */
export async function signIn(page, server, link = server.signInLink()) {
  await page.goto(link);
  // The link opens a page with one button, so that a mail scanner that follows links does not use it up.
  const button = page.getByRole("button", { name: /sign in/i });
  if (await button.count()) await button.click();
  await page.waitForURL(`${server.origin}/`);
}

/** Opens a new session through its form and arrives at its page; gives its id. */
export async function openSession(page, { agent = "Shell", name }) {
  await page.goto("/new");
  await page.locator("label.choice", { hasText: agent }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Open session" }).click();
  await page.waitForURL(/\/sessions\/[a-z0-9-]+$/);
  return sessionOf(page);
}

/** The id in the address of a session's page. */
export function sessionOf(page) {
  const id = new URL(page.url()).pathname.match(/^\/sessions\/([a-z0-9-]+)/)?.[1];
  assert.ok(id, `${page.url()} is no session`);
  return id;
}

/** Chooses an item from the menu of the session that is open, or of a row in the list. */
export async function choose(page, item, { of } = {}) {
  const menu = page.locator("details.menu", { has: page.getByLabel(of ? `Actions for ${of}` : "Actions for this session", { exact: true }) });
  await menu.locator("summary").click();
  await menu.locator(".item", { hasText: item }).click();
}

/** The row (or card) of a session in the list. */
export function row(page, name) {
  return page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
}

/** Fails when something went wrong in the page that nobody saw. */
export function quiet(page) {
  assert.deepEqual(page.complaints, [], `the page complains:\n${page.complaints.join("\n")}`);
}

export { awake };
