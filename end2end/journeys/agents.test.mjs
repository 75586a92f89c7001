// Agents: one is installed from its registry through the page, with its log, and its real screen is driven.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, awake, browser, device, page, shot } from "../harness/browser.mjs";
import { openSession, quiet, signIn } from "../harness/person.mjs";
import { Server, until } from "../harness/server.mjs";
import { screen, shows } from "../harness/terminal.mjs";

let server, chrome, at;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  at = await page(await device(chrome, server, { scheme: "dark" }));
  await signIn(at, server);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const card = (label) => at.locator("li.agent").filter({ has: at.getByRole("heading", { name: label }) });

test("an agent says what it is and that it is not installed; installing shows progress and a log", { timeout: 300_000 }, async () => {
  await at.goto("/agents");
  await awake(at);
  const opencode = card("OpenCode");
  await opencode.getByText("Not installed").waitFor();
  await opencode.getByRole("button", { name: "Install" }).click();
  await opencode.getByRole("region", { name: "Installation log" }).waitFor();
  await opencode.locator(".tag-running", { hasText: "Installed" }).waitFor({ timeout: 240_000 });
  await opencode.getByRole("link", { name: "Show the installation log" }).click();
  await opencode.getByRole("region", { name: "Installation log" }).getByText(/\w/).waitFor();
  await shot(at, "agents-installed");
  quiet(at);
});

test("its real screen is drawn in the browser, and answers to keys", { timeout: 120_000 }, async () => {
  await openSession(at, { agent: "OpenCode", name: "A real agent" });
  await awake(at);
  await until(async () => (await screen(at)).split("\n").filter((row) => row.trim()).length >= 5, "the agent draws its screen", 60_000, () => server.output.slice(-3000));
  await at.locator(".xterm-screen").first().click({ position: { x: 20, y: 20 } });
  await at.keyboard.type("hello from the browser");
  await shows(at, "hello from the browser", 30_000);
  await shot(at, "agent-opencode");
  const earlier = await screen(at);
  await server.end("SIGKILL");
  await server.again();
  await at.reload();
  await awake(at);
  await shows(at, "hello from the browser", 30_000);
  assert.ok(earlier.includes("hello from the browser"));
  await accessible(at, "a session with an agent");
});

test("the same agent is whole on a phone, comes back through a second restart by itself, and is typed to from there", { timeout: 120_000 }, async () => {
  const phone = await page(await device(chrome, server, { size: "phone", scheme: "dark" }));
  await signIn(phone, server);
  await phone.goto(at.url());
  await awake(phone);
  await shows(phone, "hello from the browser", 30_000);
  await shot(phone, "agent-opencode-phone");
  await server.end("SIGTERM");
  await server.again();
  // Nobody reloads: the page finds the server again, and the agent is the one that was left.
  // Whichever of this person's devices was back first drives; whoever of them types has the size.
  await phone.locator(".xterm-screen").first().tap({ position: { x: 20, y: 20 } });
  await phone.keyboard.type(" And the phone");
  await shows(phone, "hello from the browser And the phone", 30_000);
  await shows(at, "hello from the browser And the phone", 30_000);
  await shot(phone, "agent-opencode-phone-typed");
  await shot(at, "agent-opencode-after-phone");
});
