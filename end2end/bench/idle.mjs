// What an idle session costs the server: opens so many shells, looks at the server alone, and divides.
//   node end2end/bench/idle.mjs [--sessions 50] [--attached] [--history]
// Before the first look a few sessions are opened and kept: what the server warms up once (pools, caches, threads'
// stacks) is no session's share, and nothing is given back that later ones could take. With --attached each keeps its
// viewer, which is the dearer kind of idle; with --history each has printed 10,000 lines.
// SANDBOX_BINARY chooses the server that is measured.
import { rmSync } from "node:fs";
import { folder, sleep, text, writeText } from "./measures.mjs";
import { Ours } from "./ours.mjs";
import { memory } from "./process.mjs";

const at = process.argv.indexOf("--sessions");
const count = at > 0 ? Number(process.argv[at + 1]) : 50;
const attached = process.argv.includes("--attached"), history = process.argv.includes("--history");

writeText(1);
const ours = await Ours.start(folder, { options: ["--plan", "sandbox-ent", "--expensive-per-minute", "100000"] });
try {
  const warm = await open(10);
  if (!attached) for (const line of warm) line.close();
  const before = await settled();
  const lines = await open(count);
  if (!attached) for (const line of lines) line.close();
  const after = await settled();
  const share = (key) => ((after[key] - before[key]) / count).toFixed(1);
  console.log(`${count} idle shells${history ? " with 10,000 lines" : ""}${attached ? ", each with a viewer" : ""}: the server's share of one is ${share("own")} KiB private, ${share("pss")} KiB PSS ` +
    `(server ${before.own} -> ${after.own} KiB private)`);
  for (const line of [...warm, ...lines]) line.close();
} finally {
  await ours.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Shells that have printed a little, each with its viewer. */
async function open(count) {
  const lines = [];
  for (let n = 0; n < count; n++) {
    const line = await ours.open(), done = line.until("REA-DY");
    line.send(`${history ? `head -n 10000 ${text}; ` : ""}printf 'REA-%s\\n' DY\r`);
    await done;
    lines.push(line);
  }
  return lines;
}

/** The server's memory once nothing changes it any more. */
async function settled() {
  await sleep(3000);
  return memory(ours.server.child.pid);
}
