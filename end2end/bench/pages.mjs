// The server's own figures: what pages and lists cost with ten thousand sessions in the store.
import { Agent, get } from "node:http";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fill, settle } from "../harness/rows.mjs";
import { Api } from "../harness/api.mjs";
import { cpu } from "./process.mjs";
import { spread } from "./measures.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const many = 10_000, orgs = 2_000, people = 5_000, entries = 1_000_000;

/** Rows for the table: what, figure, remarks. */
export async function pages(ours, quick) {
  console.log(`  pages with ${many.toLocaleString("en")} sessions`);
  const { server } = ours;
  await server.end();
  fill(server.data, many);
  await server.again();
  const api = await Api.signIn(server);
  const [{ id }] = (await api.ask("GET", "/api/v1/sandbox/sessions?search=number%2077&limit=1")).body.sandboxes;
  const places = [
    ["list of sessions, first page (HTML)", "/", "aim: 20 ms"],
    ["list of sessions, searched (HTML)", "/?q=billing", ""],
    ["page of a session (HTML)", `/sessions/${id}`, ""],
    ["list of sessions (REST)", "/api/v1/sandbox/sessions", ""],
    ["one session (REST)", `/api/v1/sandbox/sessions/${id}`, ""],
  ];
  return timed(server, api, places, quick);
}

/** The same for those who govern: many Organizations, many people in one, many entries of the audit. */
export async function governing(ours, quick) {
  const written = quick ? entries / 10 : entries;
  console.log(`  pages with ${orgs.toLocaleString("en")} Organizations, ${people.toLocaleString("en")} members in one, ${written.toLocaleString("en")} entries of the audit`);
  const { server } = ours;
  await server.end();
  settle(server.data, orgs, people);
  execFileSync("cargo", ["run", "--quiet", "--release", "-p", "store", "--example", "million_audit", String(written)], {
    cwd: root, env: { ...process.env, SANDBOX_DATA_DIR: server.data, DATABASE_URL: undefined }, stdio: ["ignore", "ignore", "inherit"],
  });
  await server.again();
  const api = await Api.signIn(server);
  const { org } = (await api.ask("GET", "/api/v1/me")).body;
  const places = [
    ["fleet, first page (HTML)", "/fleet", ""],
    ["fleet, searched (HTML)", "/fleet?q=organization+19", ""],
    ["members, first page (HTML)", "/org/members", ""],
    ["members, searched (HTML)", "/org/members?q=person-047", ""],
    ["an Organization's overview (HTML)", "/org", ""],
    ["quotas (HTML)", "/org/quotas", ""],
    ["audit of the fleet (HTML)", "/audit?org=*", ""],
    ["Organizations (REST)", "/api/v1/orgs", ""],
    ["members (REST)", `/api/v1/orgs/${org}/members`, ""],
    ["audit of the fleet, one action (REST)", "/api/v1/audit?fleet=true&action=token.minted", ""],
  ];
  return timed(server, api, places, quick);
}

async function timed(server, api, places, quick) {
  const rows = [];
  for (const [what, path, remark] of places) {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const one = async () => {
      const begun = performance.now();
      const size = await fetched(server, api, agent, path);
      return { took: performance.now() - begun, size };
    };
    for (let n = 0; n < 20; n++) await one();
    const alone = [];
    let size;
    for (let n = 0; n < (quick ? 50 : 300); n++) { const { took, size: bytes } = await one(); alone.push(took); size = bytes; }
    const { p50, p99 } = spread(alone);
    // As many as 16 connections get out of it; this client is on the same two cores.
    const seconds = quick ? 2 : 8, end = performance.now() + seconds * 1000, before = cpu([server.child.pid]);
    let done = 0;
    await Promise.all(Array.from({ length: 16 }, async () => { while (performance.now() < end) { await one(); done += 1; } }));
    const used = cpu([server.child.pid]) - before;
    rows.push([what, `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`, `${(size / 1024).toFixed(0)} KiB; ${(done / seconds).toFixed(0)} requests/s, ${(used * 1000 / done).toFixed(2)} ms of CPU each${remark ? `; ${remark}` : ""}`]);
    agent.destroy();
  }
  return rows;
}

function fetched(server, api, agent, path) {
  return new Promise((resolve, reject) => {
    get(`${server.origin}${path}`, { agent, headers: { ...api.headers, accept: path.startsWith("/api") ? "application/json" : "text/html" } }, (answer) => {
      let size = 0;
      answer.on("data", (bytes) => { size += bytes.length; });
      answer.on("end", () => answer.statusCode === 200 ? resolve(size) : reject(new Error(`${path} answered ${answer.statusCode}`)));
    }).on("error", reject);
  });
}
