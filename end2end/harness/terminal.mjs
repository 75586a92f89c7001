// A terminal in a page, as a person sees and uses it.
import { until } from "./server.mjs";

/** What stands on the screen, row by row, without blanks at the ends. */
export async function screen(page) {
  return page.evaluate(() => [...document.querySelectorAll(".xterm-rows")].filter((rows) => rows.getClientRects().length > 0)
    .flatMap((rows) => [...rows.children].map((row) => row.textContent.replaceAll("\u00a0", " ").trimEnd())).join("\n").trimEnd());
}

/** Waits until the screen shows `text` (a string or a pattern). */
export async function shows(page, text, limit = 15_000) {
  let last = "";
  return until(async () => {
    last = await screen(page);
    return typeof text === "string" ? last.includes(text) : text.test(last);
  }, `the terminal shows ${text}`, limit, () => `It shows:\n${last}`);
}

/** Types into the terminal as a person does: click, then keys. */
export async function types(page, text) {
  await page.locator(".xterm-screen").first().click({ position: { x: 20, y: 20 } });
  await page.keyboard.type(text);
}

/** Types a command line and Enter. */
export async function runs(page, line) {
  await types(page, line);
  await page.keyboard.press("Enter");
}
