// What is measured on either side, in the same way. Figures are for comparing sides of one run, on one machine.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpu, memory } from "./process.mjs";

/** Where the text lies that both sides print; it is `text` in the folder of each shell. */
export const folder = mkdtempSync(join(tmpdir(), "sandbox-bench-"));
export const text = "lines.txt";
const MiB = 1024 * 1024;

/** Writes the file that both sides print: lines as a build prints them, so many MiB. */
export function writeText(size) {
  const line = (n) => `\u001b[32m   Compiling\u001b[0m something-${n % 997} v0.${n % 50}.${n % 9} (/work/project/crates/something-${n % 997})\n`;
  let block = "";
  for (let n = 0; block.length < MiB; n++) block += line(n);
  writeFileSync(join(folder, text), block.slice(0, MiB).repeat(size));
}

/** Milliseconds from the wish to be attached to the first bytes of a screen. */
export async function attach(side, times, again) {
  const taken = [];
  for (let n = 0; n < times; n++) {
    const line = await again(side);
    taken.push(await line.first);
    line.close();
  }
  return spread(taken);
}

/** Milliseconds from a key to its echo by a program (`cat` on a raw terminal). */
export async function echo(line, keys, { pause = 4 } = {}) {
  await prepare(line);
  const taken = [];
  for (let n = 0; n < keys; n++) {
    const key = String.fromCharCode(97 + (n % 26));
    const begun = process.hrtime.bigint();
    const back = line.until(key, 10_000);
    line.send(key);
    await back;
    taken.push(Number(process.hrtime.bigint() - begun) / 1e6);
    await sleep(pause);
  }
  return spread(taken);
}

/** `cat` on a raw terminal, without the line discipline's own echo. */
async function prepare(line) {
  const ready = line.until("READY\r\n");
  line.send("stty raw -echo; printf 'READY\\r\\n'; exec cat\r");
  await ready;
  await sleep(100);
}

/** MB/s and MB per CPU-second of printing the text of so many MiB to this reader. */
export async function throughput(side, line, size, others = []) {
  const done = line.until("ALL-SENT", 600_000);
  const before = cpu(side.processes()), came = line.received, begun = performance.now();
  line.send(`head -c ${size * MiB} ${text}; printf 'ALL-%s\\n' SENT\r`);
  await done;
  const seconds = (performance.now() - begun) / 1000, used = cpu(side.processes()) - before;
  // The terminal writes CRLF for LF, so that more comes than the file holds; less would be a figure about nothing.
  if (line.received - came < size * MiB) throw new Error(`${side.name} sent ${line.received - came} bytes of ${size} MiB`);
  return { mbPerSecond: (size * MiB) / 1e6 / seconds, mbPerCpu: (size * MiB) / 1e6 / used, cpu: used, seconds,
    sent: (line.received - came) / 1e6, others: others.map((other) => other.received) };
}

/** KiB for each idle session that was added: of the processes of this side, not of the shells. */
export async function idle(side, count, history) {
  const before = side.processes(), held = before.reduce((sum, pid) => sum + memory(pid).pss, 0);
  const lines = [];
  for (let n = 0; n < count; n++) {
    const line = await side.open();
    if (history) {
      const done = line.until("ALL-SENT");
      line.send(`head -n ${history} ${text}; printf 'ALL-%s\\n' SENT\r`);
      await done;
    }
    lines.push(line);
  }
  await sleep(1000);
  const now = side.processes().reduce((sum, pid) => sum + memory(pid).pss, 0);
  return { pss: (now - held) / count, lines };
}

/** The middle and the far end of what was measured. */
export function spread(taken) {
  const sorted = [...taken].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1), n: sorted.length };
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
