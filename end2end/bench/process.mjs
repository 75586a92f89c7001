// What processes cost, from /proc: CPU seconds and memory.
import { readFileSync, readdirSync } from "node:fs";
import { execFileSync } from "node:child_process";

const ticks = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** The given processes, their descendants, and those that name `data` in their arguments, as far as their program matches. */
export function family(roots, program, data) {
  const table = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      return [{ pid: Number(name), parent, words }];
    } catch { return []; }
  });
  const members = new Set(roots);
  for (let size = -1; size !== members.size;) {
    size = members.size;
    for (const { pid, parent, words } of table)
      if (members.has(parent) || (data && words.some((word) => word.includes(data)))) members.add(pid);
  }
  return table.filter(({ pid, words }) => members.has(pid) && pid !== process.pid && program.test(words[0])).map(({ pid }) => pid);
}

/** CPU seconds that these processes have used so far. */
export function cpu(pids) {
  return pids.reduce((sum, pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
      return sum + (Number(fields[11]) + Number(fields[12])) / ticks;
    } catch { return sum; }
  }, 0);
}

/** Memory in KiB: `pss` shares what is shared, `own` counts only what nobody shares. */
export function memory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const of = (key) => Number(text.match(new RegExp(`^${key}:\\s+(\\d+)`, "m"))?.[1] ?? 0);
  return { pss: of("Pss"), own: of("Private_Clean") + of("Private_Dirty") };
}
