// `make bench`: ttyd and we, in the same run, then the server's own figures; the tables go to BENCHMARKS.md.
//   node end2end/bench/main.mjs [--quick]
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ours } from "./ours.mjs";
import { Ttyd } from "./ttyd.mjs";
import * as measure from "./measures.mjs";
import { memory } from "./process.mjs";
import { governing, pages } from "./pages.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const quick = process.argv.includes("--quick");
const size = quick ? 20 : 100;
const keys = quick ? 300 : 2000;
const sessions = quick ? 5 : 20;
const history = 10_000;
const say = (text) => console.log(`  ${text}`);
const fixed = (value, digits = 1) => (value == null ? "-" : value.toFixed(digits));

measure.writeText(size);
const rows = [];
const [load] = loadavg();
let own, governed;
const ttyd = await Ttyd.start(measure.folder);
// Sessions are many here: the plan's limits are lifted for the one account of this run.
const ours = await Ours.start(measure.folder, { options: ["--plan", "sandbox-ent", "--expensive-per-minute", "100000"] });

try {
  await compareAttach();
  await compareEcho();
  await compareThroughput();
  await compareIdle();
  await tenViewers();
  await stalledViewer();
  own = await pages(ours, quick);
  governed = await governing(ours, quick);
} finally {
  await ttyd.stop();
  await ours.stop();
  rmSync(measure.folder, { recursive: true, force: true });
}
write();

async function compareAttach() {
  say("attach");
  const times = quick ? 20 : 100;
  const theirs = await measure.attach(ttyd, times, () => ttyd.open());
  const line = await ours.open();
  const filled = line.until("ALL-SENT");
  line.send(`head -n ${history} ${measure.text}; printf 'ALL-%s\\n' SENT\r`);
  await filled;
  let bytes = 0;
  const mine = await measure.attach(ours, times, async () => {
    const viewer = await ours.attach(line.session);
    bytes = viewer.snapshotBytes;
    return viewer;
  });
  line.close();
  rows.push(["attach to first bytes, p50 ms", fixed(theirs.p50), fixed(mine.p50), "ttyd starts a shell and has no history; ours restores a screen"],
    ["attach to first bytes, p99 ms", fixed(theirs.p99), fixed(mine.p99), `after ${history.toLocaleString("en")} lines of history; aim: 250 ms`],
    ["size of the restored screen, KiB", "-", fixed(bytes / 1024), "aim: 100 KiB"]);
}

async function compareEcho() {
  say("echo");
  // In turns, so that what else this machine does meets both alike.
  const a = await ttyd.open(), b = await ours.open();
  const taken = { ttyd: [], ours: [] };
  const first = [await measure.echo(a, keys / 2), await measure.echo(b, keys / 2)];
  taken.ttyd.push(first[0]); taken.ours.push(first[1]);
  const again = [await ttyd.open(), await ours.open()];
  taken.ours.push(await measure.echo(again[1], keys / 2));
  taken.ttyd.push(await measure.echo(again[0], keys / 2));
  const mean = (of, key) => of.reduce((sum, spread) => sum + spread[key], 0) / of.length;
  rows.push(["echo of a key, p50 ms", fixed(mean(taken.ttyd, "p50"), 2), fixed(mean(taken.ours, "p50"), 2), `${keys} keys, two turns each`],
    ["echo of a key, p99 ms", fixed(mean(taken.ttyd, "p99"), 2), fixed(mean(taken.ours, "p99"), 2), ""]);
  for (const line of [a, b, ...again]) line.close();
}

async function compareThroughput() {
  say(`${size} MiB of text`);
  const a = await ttyd.open(), b = await ours.open();
  const theirs = await measure.throughput(ttyd, a, size);
  const mine = await measure.throughput(ours, b, size);
  rows.push([`${size} MiB of text, MB/s`, fixed(theirs.mbPerSecond), fixed(mine.mbPerSecond), `reader got ${fixed(mine.sent, 0)} MB of ${fixed(size * 1.048576, 0)}`],
    ["MB per CPU-second", fixed(theirs.mbPerCpu), fixed(mine.mbPerCpu), "server and host together"]);
  a.close(); b.close();
}

async function compareIdle() {
  say("idle sessions");
  const theirs = await measure.idle(ttyd, sessions, history);
  for (const line of theirs.lines) line.close();
  const server = memory(ours.server.child.pid).own, known = new Set(ours.hosts());
  const mine = await measure.idle(ours, sessions, history);
  const hosts = ours.hosts().filter((pid) => !known.has(pid)).map((pid) => memory(pid).own);
  for (const line of mine.lines) line.close();
  await measure.sleep(500);
  const share = (memory(ours.server.child.pid).own - server) / sessions;
  rows.push([`memory of an idle session with ${history.toLocaleString("en")} lines, KiB`, fixed(theirs.pss, 0), fixed(mine.pss, 0), "PSS of server and hosts, not of the shells; ttyd keeps no history"],
    ["host process, private KiB", "-", fixed(hosts.reduce((sum, own) => sum + own, 0) / hosts.length, 0), "aim: 8,192"],
    ["the server's share, private KiB", "-", fixed(Math.max(0, share), 0), "aim: 64"]);
}

async function tenViewers() {
  say("ten viewers");
  const alone = await ours.open();
  const one = await measure.throughput(ours, alone, Math.min(size, 20));
  const viewers = [];
  for (let n = 0; n < 9; n++) viewers.push(await ours.attach(alone.session));
  const ten = await measure.throughput(ours, alone, Math.min(size, 20), viewers);
  const crowd = await measure.echo(alone, keys / 4);
  for (const line of [alone, ...viewers]) line.close();
  const single = await ours.open();
  const idle = await measure.echo(single, keys / 4);
  single.close();
  rows.push(["ten viewers: CPU against one viewer", "a process each", `${fixed(ten.cpu / one.cpu, 2)} x`, `aim: 2 x; ${fixed(one.cpu, 2)} s and ${fixed(ten.cpu, 2)} s for ${Math.min(size, 20)} MiB`],
    ["ten viewers: echo p99 of the driver, ms", "-", fixed(crowd.p99, 2), `${fixed(idle.p99, 2)} with one`]);
}

async function stalledViewer() {
  say("a viewer that never reads");
  const reader = await ours.open();
  const host = ours.hosts().at(-1);
  const without = await measure.throughput(ours, reader, Math.min(size, 20));
  const stalled = await ours.attach(reader.session, { stalled: true });
  stalled.socket.pause();
  const with_ = await measure.throughput(ours, reader, Math.min(size, 20));
  rows.push(["a viewer that never reads: the reader's MB/s", "-", fixed(with_.mbPerSecond), `${fixed(without.mbPerSecond)} without it; the host then holds ${fixed(memory(host).own / 1024)} MiB`]);
  stalled.close(); reader.close();
}

function write() {
  const run = (...command) => { try { return execFileSync(command[0], command.slice(1), { cwd: root, encoding: "utf8" }).trim(); } catch { return "unknown"; } };
  const { files: manifest, parts } = JSON.parse(readFileSync(join(root, "target/site/manifest.json"), "utf8"));
  const logical = (address) => Object.keys(manifest).find((name) => `/${manifest[name].file}` === address);
  const weigh = (names) => `${fixed(names.reduce((sum, name) => sum + (manifest[name].br ?? manifest[name].bytes), 0) / 1024)} KiB`;
  const table = (head, body) => [head, head.map(() => "---"), ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const text = `# Benchmarks

Written by \`make bench\`${quick ? " (quick)" : ""} on ${new Date().toISOString().slice(0, 10)}, commit ${run("git", "rev-parse", "--short", "HEAD")}.
${cpus()[0].model.trim()}, ${cpus().length} cores, ${fixed(totalmem() / 2 ** 30, 0)} GiB, Linux ${release()}, loopback. ttyd is ${run(".tools/rival/bin/ttyd", "--version").replace(/^ttyd version /, "")}.
The machine was ${load < 0.5 ? "quiet" : `busy with other work (load ${fixed(load)} at the start), so every time here is longer than it had to be`}.
Compare the columns of one run; the figures of two runs or two machines say little about each other.

## Beside ttyd

Both run \`sh -l\` and are read by the same Node.js client over a WebSocket.

${table(["what", "ttyd", "sandbox", "remarks"], rows)}

## The server alone

${table(["what", "figure", "remarks"], own)}

## The server alone, for those who govern

2,000 Organizations, 5,000 members in one, ${quick ? "100,000" : "1,000,000"} entries of the audit.

${table(["what", "figure", "remarks"], governed)}

## What the browser loads (brotli)

${table(["what", "figure", "remarks"], [
    ["shell of the app: WebAssembly, glue, styles", weigh(["app.wasm", "app.js", "boot.js", "app.css"]), "aim: 300 KiB"],
    ["of that, WebAssembly", weigh(["app.wasm"]), ""],
    ...Object.entries(parts).map(([part, files]) => [`pages: ${part}`, weigh(files.map(logical)), "asked for beside the shell by its own pages, ahead of need by others; some pieces are shared"]),
    ["xterm.js with its add-ons", weigh(["xterm.js", "xterm.css"]), "only where a terminal is"],
  ])}
`;
  writeFileSync(join(root, "BENCHMARKS.md"), text.trimEnd() + "\n");
  console.log(`\n${text}`);
}
