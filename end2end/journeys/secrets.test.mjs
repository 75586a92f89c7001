// Secrets: made and bound in a browser, found in a shell, rotated; a colleague who is not bound has nothing.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { accessible, awake, browser, device, fits, page, shot, sizes } from "../harness/browser.mjs";
import { openSession, quiet, signIn } from "../harness/person.mjs";
import { binary, Server } from "../harness/server.mjs";
import { runs, shows } from "../harness/terminal.mjs";

let server, chrome, at, colleague;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  const member = spawnSync(binary, ["member", "--data-dir", server.data, "--email", "bob@example.org", "--name", "Bob", "--public-url", server.origin], { encoding: "utf8" });
  const link = member.stdout.match(/https?:\/\/\S*sign-in\S*/)?.[0];
  assert.ok(link, member.stdout + member.stderr);
  colleague = await page(await device(chrome, server));
  await signIn(colleague, server, link);
  at = await page(await device(chrome, server));
  await signIn(at, server);
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const person = () => at.evaluate(async () => (await (await fetch("/api/v1/me")).json()).name);

test("a secret of the Organization is made, and bound to one person", async () => {
  await at.goto("/org/secrets");
  await awake(at);
  await at.getByText("No secrets yet").waitFor();
  await at.getByText("New secret").click();
  await at.getByLabel("Name", { exact: true }).fill("STRIPE_KEY");
  const value = at.getByLabel("Value", { exact: true });
  assert.equal(await value.getAttribute("type"), "password");
  await value.fill("canary-first");
  await at.getByRole("button", { name: "Add secret" }).click();
  await at.getByText("Nobody gets it").waitFor();
  assert.equal(await value.inputValue(), "", "what was typed is gone");
  await at.getByRole("link", { name: "Bind STRIPE_KEY" }).click();
  await at.getByRole("dialog").getByLabel(await person(), { exact: true }).check();
  await at.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await at.locator(".secret-who", { hasText: await person() }).waitFor();
  quiet(at);
});

test("a file of one's own is made", async () => {
  await at.goto("/settings/secrets");
  await awake(at);
  await at.locator("section", { hasText: "From your Organization" }).getByText("STRIPE_KEY").waitFor();
  await at.getByText("New secret").click();
  await at.locator("label.check", { hasText: "File" }).first().click();
  await at.getByLabel("Name", { exact: true }).fill(".config/deploy/token");
  await at.getByLabel("Contents").fill("canary-file\nsecond line");
  await at.getByRole("button", { name: "Add secret" }).click();
  await at.getByText("All your sessions").waitFor();
  quiet(at);
});

test("a shell has both, the file for nobody else, and a colleague has none", async () => {
  await openSession(at, { name: "with secrets" });
  await awake(at);
  await runs(at, "printenv STRIPE_KEY | tr a-z A-Z; stat -c 'mode %a' ~/.config/deploy/token; wc -l < ~/.config/deploy/token");
  await shows(at, /CANARY-FIRST\nmode 600\n2/, 30_000);
  await openSession(colleague, { name: "without" });
  await awake(colleague);
  await runs(colleague, "printenv STRIPE_KEY || echo no''thing; ls ~/.config/deploy 2>&1 | tail -1");
  await shows(colleague, "nothing", 30_000);
  assert.equal((await colleague.goto("/org/secrets")).status() < 500, true);
  await colleague.getByText("does not allow that").waitFor();
  assert.equal(await colleague.getByText("New secret").count(), 0);
});

test("a rotated value names the session that has the old one, and a restart gives it the new", async () => {
  await at.goto("/org/secrets");
  await awake(at);
  await at.getByRole("link", { name: "Rotate STRIPE_KEY" }).click();
  const dialog = at.getByRole("dialog");
  assert.equal(await dialog.getByLabel("Value", { exact: true }).inputValue(), "");
  await dialog.getByLabel("Value", { exact: true }).fill("canary-second");
  await dialog.getByRole("button", { name: "Rotate" }).click();
  await at.getByText("The session that runs with it has an old value").click();
  await shot(at, "secrets-outdated-desk-light");
  await at.getByRole("button", { name: "Restart with secrets" }).click();
  await at.getByText("The session that runs with it has an old value").waitFor({ state: "detached", timeout: 30_000 });
  await at.goto("/");
  await at.getByRole("link", { name: "with secrets", exact: true }).click();
  await awake(at);
  await runs(at, "clear; printenv STRIPE_KEY | tr a-z A-Z");
  await shows(at, "CANARY-SECOND", 30_000);
  quiet(at);
});

test("the pages hold at every size, light and dark", async () => {
  for (const size of Object.keys(sizes)) {
    for (const scheme of ["light", "dark"]) {
      const context = await device(chrome, server, { size, scheme });
      const visitor = await page(context);
      await signIn(visitor, server);
      for (const [name, address] of Object.entries({ org: "/org/secrets", own: "/settings/secrets" })) {
        await visitor.goto(address);
        await awake(visitor);
        await visitor.getByText("New secret").click();
        await visitor.evaluate(() => document.fonts.ready);
        const what = `secrets-${name}-${size}-${scheme}`;
        await shot(visitor, what);
        await accessible(visitor, what);
        await fits(visitor, what);
        await visitor.getByRole("link", { name: /^Bind/ }).first().click();
        await visitor.getByRole("dialog").waitFor();
        await shot(visitor, `${what}-bind`);
        await accessible(visitor, `${what}-bind`);
      }
      await context.close();
    }
  }
});

test("without scripts a secret is made, rotated and deleted by forms alone", async () => {
  const plain = await page(await device(chrome, server, { javaScriptEnabled: false }));
  const link = server.signInLink();
  await plain.goto(link);
  await plain.getByRole("button", { name: /sign in/i }).click();
  await plain.goto("/settings/secrets");
  await plain.getByText("New secret").click();
  await plain.getByLabel("Name", { exact: true }).fill("PLAIN_KEY");
  await plain.getByLabel("Value", { exact: true }).fill("canary-plain");
  await plain.getByRole("button", { name: "Add secret" }).click();
  await plain.getByRole("link", { name: "Rotate PLAIN_KEY" }).click();
  await plain.getByRole("dialog").getByLabel("Value", { exact: true }).fill("canary-plainer");
  await plain.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  await plain.locator("li", { hasText: "PLAIN_KEY" }).getByText("Version 2").waitFor();
  assert.doesNotMatch(plain.url(), /canary/);
  await plain.getByRole("link", { name: "Delete PLAIN_KEY" }).click();
  await plain.getByText("Its value is gone for good").waitFor();
  await plain.getByRole("button", { name: "Delete secret" }).click();
  await plain.waitForURL(/\/settings\/secrets$/);
  assert.equal(await plain.getByText("PLAIN_KEY").count(), 0);
});

test("no value is in anything that the server wrote", async () => {
  const found = spawnSync("grep", ["-rl", "--binary-files=text", "canary-", server.data, "--exclude-dir=home", "--exclude-dir=workspace"], { encoding: "utf8" });
  assert.equal(found.stdout, "");
  assert.doesNotMatch(server.output, /canary-/);
  const api = await Api.signIn(server);
  const { body } = await api.ask("GET", "/api/v1/secrets");
  assert.doesNotMatch(JSON.stringify(body), /canary-/);
});
