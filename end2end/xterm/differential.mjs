// Our terminal model against xterm.js: for every recording and many places to cut it, an xterm.js that is fed with our
// snapshot at the cut and then the rest must equal one that was fed with everything, at the cut and at the end.
//
//   node differential.mjs [--seed N] [--cuts N] [--only NAME] [--dir FOLDER]
//
// At some of the cuts both are resized: what we show to whoever attaches then must be what a viewer that was there sees.
//
// Compared are cells, attributes, cursor, pen, margins, tab stops, modes, title and all of the scrollback.

import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { dirname, join, basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const options = { seed: 20261122, cuts: 40, resizes: 12, only: '', dir: join(root, 'crates/terminal/fixtures') };
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, '');
  if (!(name in options)) throw new Error(`unknown option ${process.argv[i]}`);
  options[name] = typeof options[name] === 'number' ? Number(process.argv[i + 1]) : process.argv[i + 1];
}

let Terminal, Unicode11Addon;
try {
  ({ default: { Terminal } } = await import('@xterm/headless'));
  ({ default: { Unicode11Addon } } = await import('@xterm/addon-unicode11'));
} catch (error) {
  console.log(`SKIPPED: differential test against xterm.js: run "npm ci" in end2end/xterm (${error.message})`);
  process.exit(0);
}

const SCROLLBACK = 30000;

/// mulberry32
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function open({ cols, rows }) {
  const terminal = new Terminal({
    cols, rows, scrollback: SCROLLBACK, allowProposedApi: true, logLevel: 'off', windowOptions: { pushTitle: true, popTitle: true },
  });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  return terminal;
}

/// xterm.js loses a character whose UTF-8 bytes come in two writes and include 0x80: like our frames, never cut one.
const write = (terminal, bytes) => new Promise((done) => terminal.write(bytes, done));

// What is equal although its bits are not: palette indexes carry remains of an RGB colour, blanks show a background only.
const COLOR_MODE = 0x3000000, RGB = 0x3000000;
const FG_FLAGS = 0xfc000000, BG_FLAGS = 0x4c000000;
const EXTENDED = 0x10000000, UNDERLINE = 0x10000000;
const color = (bits) => {
  const mode = bits & COLOR_MODE;
  return mode === 0 ? 0 : mode === RGB ? bits & 0x3ffffff : bits & 0x30000ff;
};

function cellOf(core, line, x) {
  const [content, fg, bg] = line._data.subarray(x * 3, x * 3 + 3);
  const width = content >>> 22;
  if (!(content & 0x3fffff)) return { text: '', width, bg: color(bg) };
  const text = content & 0x200000 ? line._combined[x] : String.fromCodePoint(content & 0x1fffff);
  return { text, width, ...penOf(core, fg, bg, line._extendedAttrs[x]) };
}

function penOf(core, fg, bg, extended) {
  const pen = { fg: color(fg), bg: color(bg), fgFlags: (fg & FG_FLAGS) >>> 0, bgFlags: bg & (BG_FLAGS | 0x20000000) };
  if (fg & UNDERLINE) Object.assign(pen, { underline: 1, underlineColor: 0 });
  if (bg & EXTENDED && extended) {
    if (fg & UNDERLINE) {
      pen.underline = extended.underlineStyle || 1;
      pen.underlineColor = extended.underlineColor === -1 ? 0 : color(extended.underlineColor);
    }
    // xterm.js forgets a link whose lines are gone although the pen still draws with it: then any is as good.
    pen.link = extended.urlId ? core._oscLinkService.getLinkData(extended.urlId)?.uri ?? FORGOTTEN : undefined;
  }
  return pen;
}

const FORGOTTEN = 'forgotten';

function sameCell(a, b) {
  if (a.link !== b.link && (a.link === FORGOTTEN || b.link === FORGOTTEN)) a = { ...a, link: b.link };
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameLine(a, b, coreA, coreB, cols = 0) {
  if (cols) return sameCells(a, b, coreA, coreB, cols);
  const left = a._data, right = b._data;
  let same = a.isWrapped === b.isWrapped && a.length === b.length;
  for (let i = 0; same && i < left.length; ++i) same = left[i] === right[i] && !(i % 3 === 0 && left[i] & 0x200000) && !(i % 3 === 2 && left[i] & EXTENDED);
  if (same) return null;
  if (a.length !== b.length) return `lengths ${a.length} and ${b.length}`;
  return sameCells(a, b, coreA, coreB, a.length);
}

function sameCells(a, b, coreA, coreB, cols) {
  if (a.isWrapped !== b.isWrapped) return `wrapped ${a.isWrapped} and ${b.isWrapped}`;
  for (let x = 0; x < cols; ++x) {
    const l = cellOf(coreA, a, x), r = cellOf(coreB, b, x);
    // Half of a wide character that a resize has cut.
    if (x === cols - 1 && l.width === 2) continue;
    if (!sameCell(l, r)) return `column ${x}: ${JSON.stringify(l)} and ${JSON.stringify(r)}`;
  }
  return null;
}

/// Everything but cells.
function stateOf(terminal, title) {
  const core = terminal._core;
  const input = core._inputHandler;
  const buffers = core._bufferService.buffers;
  const active = buffers.active;
  const state = {
    alt: active === buffers.alt,
    x: Math.min(active.x, terminal.cols), y: active.y,
    history: buffers.normal.ybase,
    pen: penOf(core, input._curAttrData.fg, input._curAttrData.bg, input._curAttrData.extended),
    join: input._parser.precedingJoinState,
    parser: input._parser.currentState,
    modes: { ...core.coreService.modes, ...core.coreService.decPrivateModes },
    hidden: core.coreService.isCursorHidden,
    blink: core.optionsService.rawOptions.cursorBlink,
    newline: core.optionsService.rawOptions.convertEol,
    mouse: [core.coreMouseService.activeProtocol, core.coreMouseService.activeEncoding],
    charset: core._charsetService.charset?.q ?? 'q',
    glevel: core._charsetService.glevel,
    title: title.replace(/[\x00-\x1f\x7f-\x9f]/g, '').slice(0, 256),
  };
  for (const name of state.alt ? ['normal', 'alt'] : ['normal']) {
    const buffer = buffers[name];
    state[name] = {
      margins: [buffer.scrollTop, buffer.scrollBottom],
      saved: [Math.min(buffer.savedX, terminal.cols - 1), Math.max(0, buffer.savedY - buffer.ybase)],
      savedPen: [color(buffer.savedCurAttrData.fg), color(buffer.savedCurAttrData.bg)],
      tabs: Object.keys(buffer.tabs).map(Number).filter((x) => buffer.tabs[x] && x < terminal.cols).join(),
    };
  }
  return state;
}

function difference(whole, snapped) {
  const left = stateOf(whole.terminal, whole.title()), right = stateOf(snapped.terminal, snapped.title());
  const parts = [];
  const compare = (path, l, r) => {
    if (l && r && typeof l === 'object') for (const key of new Set([...Object.keys(l), ...Object.keys(r)])) compare(`${path}.${key}`, l[key], r[key]);
    else if (l !== r && l !== FORGOTTEN && r !== FORGOTTEN && !(path === '.pen.link' && left.pen.link === FORGOTTEN)) parts.push(`${path.slice(1)} is ${JSON.stringify(l)}, from the snapshot ${JSON.stringify(r)}`);
  };
  compare('', left, right);
  const coreA = whole.terminal._core, coreB = snapped.terminal._core;
  for (const name of left.alt ? ['normal', 'alt'] : ['normal']) {
    const a = coreA._bufferService.buffers[name].lines, b = coreB._bufferService.buffers[name].lines;
    if (a.length !== b.length) parts.push(`${name} screen: ${a.length} rows, from the snapshot ${b.length}`);
    for (let y = 0; y < Math.min(a.length, b.length) && parts.length < 6; ++y) {
      // Nothing is above the first row: what it would continue is gone.
      if (y === 0) b.get(0).isWrapped = a.get(0).isWrapped;
      const found = sameLine(a.get(y), b.get(y), coreA, coreB);
      if (found) parts.push(`${name} row ${y} (screen begins at ${coreA._bufferService.buffers[name].ybase}), ${found}`);
    }
  }
  return parts;
}

/// What is seen after a resize: the rows of the screen and where the cursor is. Scrollback is text that wraps by itself.
function seenDifference(whole, snapped) {
  const parts = [];
  const [a, b] = [whole, snapped].map(({ terminal }) => terminal._core._bufferService.buffer);
  if (a.x !== b.x || a.y !== b.y) parts.push(`cursor is ${a.x},${a.y}, from the snapshot ${b.x},${b.y}`);
  const rows = whole.terminal.rows;
  for (let y = 0; y < rows && parts.length < 5; ++y) {
    const l = a.lines.get(a.ybase + y), r = b.lines.get(b.ybase + y);
    if (y === 0) r.isWrapped = l.isWrapped;
    // The alternate screen keeps what is cut off at the right, unseen.
    const found = sameLine(l, r, whole.terminal._core, snapped.terminal._core, whole.terminal.cols);
    if (found) parts.push(`row ${y} of the screen, ${found}`);
  }
  return parts;
}

function view(size) {
  const terminal = open(size);
  let title = '';
  terminal.onTitleChange((text) => { title = text; });
  return { terminal, title: () => title };
}

function load() {
  return readdirSync(options.dir).filter((name) => name.endsWith('.vt.gz') && name.includes(options.only)).sort().map((name) => {
    const match = /^(.*)\.(\d+)x(\d+)\.vt\.gz$/.exec(name);
    if (!match) throw new Error(`${name} is not NAME.COLSxROWS.vt.gz`);
    return { name: match[1], cols: Number(match[2]), rows: Number(match[3]), bytes: new Uint8Array(gunzipSync(readFileSync(join(options.dir, name)))) };
  });
}

/// Half of the cuts anywhere, half inside or right after something: an escape sequence, a character of several bytes.
function cutsOf(recording, next) {
  const cuts = new Set();
  const { bytes } = recording;
  while (cuts.size < Math.min(options.cuts, bytes.length)) {
    let cut = Math.floor(next() * (bytes.length + 1));
    if (next() < 0.5) {
      const from = cut;
      while (cut < bytes.length && bytes[cut] !== 0x1b && bytes[cut] < 0x80) ++cut;
      cut = cut === bytes.length ? from : Math.min(bytes.length, cut + Math.floor(next() * 12));
    }
    cuts.add(cut);
  }
  return [...cuts].sort((a, b) => a - b);
}

/// One Rust process takes all snapshots.
async function snapshots(jobs) {
  const child = spawn('cargo', ['run', '--quiet', '-p', 'terminal', '--example', 'snapshots'], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  const ended = new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => (code === 0 ? done() : fail(new Error(`the snapshot program ended with ${code}`))));
  });
  for (const { recording, cuts, sizes = [] } of jobs) {
    const head = Buffer.alloc(20 + 4 * cuts.length + 4 * sizes.length);
    head.writeUInt16BE(recording.cols, 0);
    head.writeUInt16BE(recording.rows, 2);
    head.writeUInt32BE(SCROLLBACK, 4);
    head.writeUInt32BE(cuts.length, 8);
    head.writeUInt32BE(recording.bytes.length, 12);
    head.writeUInt32BE(sizes.length, 16);
    cuts.forEach((cut, i) => head.writeUInt32BE(cut, 20 + 4 * i));
    sizes.forEach(({ cols, rows }, i) => {
      head.writeUInt16BE(cols, 20 + 4 * cuts.length + 4 * i);
      head.writeUInt16BE(rows, 22 + 4 * cuts.length + 4 * i);
    });
    child.stdin.write(head);
    child.stdin.write(recording.bytes);
  }
  child.stdin.end();
  await ended;
  const all = Buffer.concat(chunks);
  let at = 0;
  return jobs.map(({ cuts }) => cuts.map(() => {
    const seq = all.readUInt32BE(at), length = all.readUInt32BE(at + 4);
    const ansi = new Uint8Array(all.subarray(at + 8, at + 8 + length));
    at += 8 + length;
    return { seq, ansi };
  }));
}

if (!existsSync(options.dir)) throw new Error(`no folder ${options.dir}`);
const next = random(options.seed);
const jobs = load().map((recording) => ({ recording, cuts: cutsOf(recording, next) }));
if (jobs.length === 0) throw new Error(`no recordings in ${options.dir}`);
console.log(`differential test against xterm.js: ${jobs.length} recordings, ${options.cuts} cuts each, seed ${options.seed}`);
const resizing = jobs.map(({ recording, cuts }) => {
  const places = cuts.filter(() => next() < options.resizes / options.cuts);
  const sizes = places.map(() => ({ cols: 20 + Math.floor(next() * 160), rows: 5 + Math.floor(next() * 50) }));
  return { recording, cuts: places, sizes };
});
const taken = await snapshots([...jobs, ...resizing]);
let passed = 0, failed = 0;
async function resized(index) {
  const { recording, cuts, sizes } = resizing[index];
  let bad = 0;
  for (const [i, { seq, ansi }] of taken[jobs.length + index].entries()) {
    const viewer = view(recording);
    await write(viewer.terminal, recording.bytes.subarray(0, seq));
    viewer.terminal.resize(sizes[i].cols, sizes[i].rows);
    const fresh = view(sizes[i]);
    await write(fresh.terminal, ansi);
    const problems = seenDifference(viewer, fresh);
    viewer.terminal.dispose();
    fresh.terminal.dispose();
    problems.length ? ++failed : ++passed;
    if (problems.length && ++bad <= 2) {
      console.log(`  ${recording.name}: cut at ${cuts[i]}, from ${recording.cols}x${recording.rows} to ${sizes[i].cols}x${sizes[i].rows}`);
      for (const problem of problems.slice(0, 4)) console.log(`    ${problem}`);
    }
  }
  return { bad, text: `${cuts.length - bad} of ${cuts.length} resizes equal` };
}

for (const [index, { recording, cuts }] of jobs.entries()) {
  const begun = Date.now();
  const whole = view(recording);
  await write(whole.terminal, recording.bytes);
  const growing = view(recording);
  let grown = 0, bad = 0, largest = 0;
  for (const [i, { seq, ansi }] of taken[index].entries()) {
    await write(growing.terminal, recording.bytes.subarray(grown, seq));
    grown = seq;
    const snapped = view(recording);
    await write(snapped.terminal, ansi);
    largest = Math.max(largest, ansi.length);
    const problems = difference(growing, snapped).map((text) => `at the cut: ${text}`);
    await write(snapped.terminal, recording.bytes.subarray(seq));
    problems.push(...difference(whole, snapped).map((text) => `at the end: ${text}`));
    snapped.terminal.dispose();
    if (problems.length === 0) {
      ++passed;
      continue;
    }
    ++failed;
    if (++bad <= 3) {
      const around = Buffer.from(recording.bytes.subarray(Math.max(0, cuts[i] - 40), cuts[i] + 20)).toString('latin1');
      console.log(`  ${recording.name}: cut at ${cuts[i]} (snapshot for ${seq}), around ${JSON.stringify(around)}`);
      for (const problem of problems.slice(0, 5)) console.log(`    ${problem}`);
    }
  }
  const sizes = await resized(index);
  console.log(`${bad + sizes.bad ? 'FAILED' : 'ok    '} ${recording.name} ${recording.cols}x${recording.rows}: ${recording.bytes.length} bytes, ${cuts.length - bad} of ${cuts.length} cuts equal, ${sizes.text}, largest snapshot ${largest} bytes, ${Date.now() - begun} ms`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
