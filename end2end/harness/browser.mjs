// A person's browser: Chromium at the sizes people have, light and dark, with axe and a camera.
import AxeBuilder from "@axe-core/playwright";
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const shots = join(dirname(fileURLToPath(import.meta.url)), "../shots");
const found = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));

export const sizes = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  tablet: { viewport: { width: 820, height: 1180 }, hasTouch: true },
  desk: { viewport: { width: 1440, height: 900 } },
};

/** Starts Chromium. WebGL is off, so that terminals draw as text that a test can read (the fallback renderer). */
export async function browser({ webgl = false } = {}) {
  if (!found) throw new Error("No Chromium here: scripts/setup test installs it.");
  return chromium.launch({
    executablePath: found,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", ...(webgl ? ["--use-gl=swiftshader", "--enable-unsafe-swiftshader"] : ["--disable-webgl", "--disable-3d-apis"])],
  });
}

/** One person at one device: `options` are Playwright's, `size` and `scheme` choose from what people have. */
export async function device(chrome, server, { size = "desk", scheme = "light", ...options } = {}) {
  const context = await chrome.newContext({
    ...sizes[size], colorScheme: scheme, reducedMotion: "reduce", baseURL: server.origin, permissions: ["clipboard-read", "clipboard-write"], ...options,
  });
  context.setDefaultTimeout(15_000);
  return context;
}

/** A page that remembers what went wrong in it: exceptions, console errors, refused scripts. */
export async function page(context) {
  const opened = await context.newPage();
  opened.complaints = [];
  opened.on("pageerror", (error) => opened.complaints.push(`exception: ${error.message}`));
  opened.on("console", (message) => {
    // A failed request is logged by Chromium itself; journeys that break connections on purpose would drown in those.
    if (message.type() === "error" && !/Failed to load resource|ERR_CONNECTION|WebSocket connection to/.test(message.text()))
      opened.complaints.push(`console: ${message.text()}`);
  });
  return opened;
}

/** Waits until the page is awake: WebAssembly has taken over what the server rendered. */
export async function awake(opened) {
  await opened.waitForSelector("html[data-hydrated]", { state: "attached" });
}

/** Fails where axe finds something serious or critical. */
export async function accessible(opened, what) {
  const { violations } = await new AxeBuilder({ page: opened }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 5).map((node) => `    ${node.target.join(" ")} ${node.failureSummary?.split("\n")[1]?.trim() ?? ""}`).join("\n")}`);
  assert.deepEqual(serious, [], `${what} has serious accessibility findings:\n${serious.join("\n")}`);
}

/** Keeps a picture in end2end/shots. */
export async function shot(opened, name) {
  mkdirSync(shots, { recursive: true });
  await opened.screenshot({ path: join(shots, `${name}.png`) });
}

/** Fails when the page is wider than its window: content that has to be dragged sideways. */
export async function fits(opened, what) {
  const over = await opened.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 1, `${what} is ${over} px wider than the window`);
}
