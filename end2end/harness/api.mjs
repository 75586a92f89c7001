// The same server through its REST API, as a script would use it: with a login's cookie.
import assert from "node:assert/strict";
import { until } from "./server.mjs";

export class Api {
  /** Signs in by a one-time link, without a browser. */
  static async signIn(server, link = server.signInLink()) {
    const api = new Api();
    api.origin = server.origin;
    const page = await fetch(link, { redirect: "manual" });
    let answer = page;
    if (page.status === 200) {
      const form = (await page.text()).match(/<form[^>]*>[\s\S]*?<\/form>/)?.[0] ?? "";
      const action = form.match(/action="([^"]*)"/)?.[1] ?? new URL(link).pathname;
      const fields = [...form.matchAll(/<input[^>]*>/g)].map(([input]) => [input.match(/name="([^"]*)"/)?.[1], input.match(/value="([^"]*)"/)?.[1] ?? ""]).filter(([name]) => name);
      answer = await fetch(new URL(action.replaceAll("&amp;", "&"), link), { method: "POST", body: new URLSearchParams(fields), headers: { origin: server.origin }, redirect: "manual" });
    }
    const cookie = answer.headers.getSetCookie().map((set) => set.split(";")[0]).join("; ");
    assert.ok(cookie, `no cookie came from ${link}: ${answer.status}`);
    api.headers = { cookie, origin: server.origin };
    return api;
  }

  /** Asks; gives status and JSON (or text). */
  async ask(method, path, body) {
    const answer = await fetch(`${this.origin}${path}`, {
      method, headers: { ...this.headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    let json;
    try { json = JSON.parse(text); } catch { json = text; }
    return { status: answer.status, body: json, headers: answer.headers };
  }

  /** Opens a session and waits until it runs. */
  async openSession({ agent = "shell", name, ...more }) {
    const made = await this.ask("POST", "/api/v1/sandbox/sessions", { agent, name, ...more });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return until(async () => {
      const { body } = await this.ask("GET", `/api/v1/sandbox/sessions/${made.body.id}`);
      assert.notEqual(body.status, "failed", JSON.stringify(body));
      return body.status === "running" && body;
    }, `session ${made.body.id} runs`, 30_000);
  }
}
