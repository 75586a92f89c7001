// Every page at the three sizes, light and dark: nothing serious for axe, nothing wider than the window, a picture each.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { accessible, awake, browser, device, fits, page, shot, sizes } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";

let server, chrome, session;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  const api = await Api.signIn(server);
  session = await api.openSession({ name: "A session with a rather long name, as people give them to keep work apart" });
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const places = { sessions: "/", new: "/new", agents: "/agents", usage: "/usage", settings: "/settings", about: "/about", missing: "/no/such/page", api: "/docs/api" };

for (const [size] of Object.entries(sizes)) {
  for (const scheme of ["light", "dark"]) {
    test(`every page at the size of a ${size}, ${scheme}`, async () => {
      const context = await device(chrome, server, { size, scheme });
      const at = await page(context);
      await signIn(at, server);
      for (const [name, address] of Object.entries({ ...places, session: `/sessions/${session.id}?panel=open` })) {
        const answer = await at.goto(address);
        assert.equal(answer.status(), name === "missing" ? 404 : 200, address);
        if (name !== "api") await awake(at);
        await at.locator("h1").first().waitFor();
        await shot(at, `${name}-${size}-${scheme}`);
        await accessible(at, `${address} (${size}, ${scheme})`);
        await fits(at, `${address} (${size}, ${scheme})`);
      }
      quiet(at);
      await context.close();
    });
  }
}

test("many people who open a page at once all get it", async () => {
  const api = await Api.signIn(server);
  for (const address of [...Object.values(places).filter((address) => address !== places.missing), `/sessions/${session.id}`]) {
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => api.ask("GET", address)));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200], address);
    }
  }
});

test("the page that signs in says how", async () => {
  const at = await page(await device(chrome, server, { size: "phone" }));
  await at.goto("/");
  await at.waitForURL(/\/sign-in/);
  await at.getByText("sandbox sign-in-link").first().waitFor();
  await accessible(at, "the sign-in page");
  await fits(at, "the sign-in page");
  await shot(at, "sign-in-phone-light");
});

test("while the server is away the page says so in a bar, and forgets it when the server is back", async () => {
  const at = await page(await device(chrome, server));
  await signIn(at, server);
  await awake(at);
  await server.end();
  await at.locator(".lost").first().waitFor();
  await shot(at, "away-desk-light");
  await server.again();
  await at.locator(".lost").first().waitFor({ state: "detached", timeout: 30_000 });
});

test("scripts of other places, and inline ones, do not run", async () => {
  const at = await page(await device(chrome, server));
  await signIn(at, server);
  const answer = await at.goto("/");
  const policy = answer.headers()["content-security-policy"];
  assert.match(policy, /script-src 'self' 'nonce-/);
  assert.doesNotMatch(policy.match(/script-src[^;]*/)[0], /unsafe-inline|'unsafe-eval'/);
  const ran = await at.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.head.append(script);
    return Boolean(globalThis.ran);
  });
  assert.equal(ran, false);
});
