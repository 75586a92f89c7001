// What another place on the web could try with somebody who is signed in here, tried in their browser: from another
// site, and from another origin of the same site, where SameSite cookies still travel.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { browser, device, page } from "../harness/browser.mjs";
import { signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";

let server, chrome, api, session, evil, port, body = "";
before(async () => {
  server = await Server.start();
  chrome = await browser();
  api = await Api.signIn(server);
  session = await api.openSession({ name: "somebody's work" });
  evil = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(body));
  await new Promise((resolve) => evil.listen(0, resolve));
  ({ port } = evil.address());
});
after(async () => {
  evil?.close();
  await chrome?.close();
  await server?.dispose();
});

/** The attacker's two places: another site, and another port of this one, which browsers take for the same site. */
const places = () => ({ "another site": `http://localhost:${port}/`, "another origin of this site": `http://127.0.0.1:${port}/` });

async function victim() {
  const context = await device(chrome, server);
  const at = await page(context);
  await signIn(at, server);
  return at;
}

const signedIn = async (at) => (await at.context().request.get(`${server.origin}/api/v1/me`)).status() === 200;

test("a form of another place changes nothing here", async () => {
  const forms = {
    [`/api/fn/sessions/delete`]: { id: session.id },
    [`/api/fn/sessions/suspend`]: { id: session.id },
    [`/api/fn/sessions/open`]: { agent: "shell", name: "planted" },
    "/sign-out": {},
  };
  for (const [place, address] of Object.entries(places())) {
    for (const [action, fields] of Object.entries(forms)) {
      const at = await victim();
      const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`).join("");
      body = `<!doctype html><form method="post" action="${server.origin}${action}">${inputs}<button>Win a prize</button></form>`;
      await at.goto(address);
      const [answer] = await Promise.all([at.waitForResponse((response) => response.url().startsWith(server.origin + action)), at.getByRole("button").click()]);
      assert.ok(answer.status() === 401 || answer.status() === 403, `${action} from ${place} answered ${answer.status()}`);
      assert.ok(await signedIn(at), `${action} from ${place}: still signed in`);
      await at.context().close();
    }
  }
  const { body: list } = await api.ask("GET", "/api/v1/sandbox/sessions");
  assert.deepEqual(list.sandboxes.map(({ name, status }) => [name, status]), [["somebody's work", "running"]]);
});

test("a script of another place reads nothing here and opens no terminal", async () => {
  for (const [place, address] of Object.entries(places())) {
    const at = await victim();
    body = "<!doctype html><title>A game</title>";
    await at.goto(address);
    const tried = await at.evaluate(async ([origin, id]) => {
      const read = async (path, options = {}) => {
        try { return await (await fetch(origin + path, { credentials: "include", ...options })).text(); } catch (error) { return error.name; }
      };
      const heard = (address, protocol) => new Promise((resolve) => {
        const socket = new WebSocket(address, protocol);
        socket.onopen = () => resolve("opened");
        socket.onerror = () => resolve("refused");
        setTimeout(() => resolve("nothing"), 5000);
      });
      const events = new Promise((resolve) => {
        const source = new EventSource(`${origin}/api/v1/events`, { withCredentials: true });
        source.onopen = () => resolve("opened");
        source.onerror = () => resolve("refused");
      });
      return {
        me: await read("/api/v1/me"),
        sessions: await read("/api/v1/sandbox/sessions"),
        opened: await read("/api/v1/sandbox/sessions", { method: "POST", body: JSON.stringify({ agent: "shell", name: "planted" }), headers: { "content-type": "text/plain" } }),
        deleted: await read(`/api/v1/sandbox/sessions/${id}`, { method: "DELETE" }),
        terminal: await heard(`${origin.replace("http", "ws")}/api/v1/sandbox/sessions/${id}/attach`, "sandbox.terminal.v1"),
        events: await events,
      };
    }, [server.origin, session.id]);
    assert.deepEqual(tried, { me: "TypeError", sessions: "TypeError", opened: "TypeError", deleted: "TypeError", terminal: "refused", events: "refused" }, place);
    await at.context().close();
  }
  const { body: list } = await api.ask("GET", "/api/v1/sandbox/sessions");
  assert.deepEqual(list.sandboxes.map(({ name }) => name), ["somebody's work"]);
});

test("no page of ours shows in a frame of another place", async () => {
  const at = await victim();
  for (const [place, address] of Object.entries(places())) {
    for (const path of ["/", `/sessions/${session.id}`, "/settings", "/org/members", "/sign-in", "/device", "/docs/api"]) {
      body = `<!doctype html><iframe src="${server.origin}${path}" width="800" height="600"></iframe>`;
      await at.goto(address);
      const frame = at.frames().find((one) => one !== at.mainFrame());
      await frame.waitForLoadState().catch(() => {});
      assert.match(frame.url(), /^chrome-error:/, `${path} in ${place}`);
    }
  }
});

test("whoever signs in is led to no other place", async () => {
  for (const next of ["//evil.example/", "https://evil.example/", "/\\evil.example", "/\\/evil.example", "\\\\evil.example", "/%5Cevil.example", "javascript:alert(1)", "/\t/evil.example", "/..//evil.example"]) {
    const context = await device(chrome, server);
    const at = await page(context);
    const asked = [];
    at.on("request", (request) => request.isNavigationRequest() && asked.push(request.url()));
    await at.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    const link = new URL(server.signInLink()).pathname.split("/").pop();
    await at.locator('input[name="link"]').fill(link);
    await at.getByRole("button", { name: /sign in|continue|open/i }).first().click();
    await at.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
    // The link itself may ask once more whether one means it.
    for (const url of [...asked, at.url()]) assert.equal(new URL(url).origin, server.origin, `${JSON.stringify(next)} led to ${url}`);
    await context.close();
  }
});

test("a cookie that somebody planted is nobody's after signing in", async () => {
  const context = await device(chrome, server);
  const planted = api.headers.cookie.split("=");
  await context.addCookies([{ name: planted[0], value: "sbc_planted-by-somebody-who-knows-it-0000000", url: server.origin }]);
  const at = await page(context);
  await signIn(at, server);
  const cookie = (await context.cookies()).find(({ name }) => name === planted[0]);
  assert.notEqual(cookie.value, "sbc_planted-by-somebody-who-knows-it-0000000");
  assert.ok(cookie.httpOnly && cookie.sameSite === "Lax");
  // A login that another person really has, planted: signing in does not go on with it, and it learns nothing.
  const theirs = await Api.signIn(server);
  const second = await device(chrome, server);
  await second.addCookies([{ name: planted[0], value: theirs.headers.cookie.split("=")[1], url: server.origin }]);
  const again = await page(second);
  await signIn(again, server);
  const mine = (await second.cookies()).find(({ name }) => name === planted[0]);
  assert.notEqual(mine.value, theirs.headers.cookie.split("=")[1]);
  await context.close();
  await second.close();
});

test("nobody is signed in as somebody else by a form of another place", async () => {
  for (const [place, address] of Object.entries(places())) {
    const context = await device(chrome, server);
    const at = await page(context);
    const link = server.signInLink();
    body = `<!doctype html><form method="post" action="${link}"><button>Win a prize</button></form>`;
    await at.goto(address);
    const [answer] = await Promise.all([at.waitForResponse((response) => response.url() === link), at.getByRole("button").click()]);
    assert.equal(answer.status(), 403, place);
    assert.deepEqual((await context.cookies()).filter(({ name }) => name === "sandbox_login"), [], place);
    await context.close();
  }
});
