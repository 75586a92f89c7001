// Writes a recording that uses as much of a terminal as one can: wide and combining characters, right-to-left text, 24-bit
// colours, hyperlinks, both screens, margins, tabs, protected cells, character sets, modes, sixel. Always the same bytes.
// usage: node torture.mjs OUT COLS ROWS

import { writeFileSync } from 'node:fs';

const [, , out, colsText, rowsText] = process.argv;
const cols = Number(colsText), rows = Number(rowsText);

// A small generator of pseudo-random numbers: the recording must not change from run to run.
let state = 12345;
const random = (n) => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >> 8) % n;
};
const pick = (list) => list[random(list.length)];

const words = ['plain', 'wörter', '你好世界', 'こんにちは', '한국어', 'e\u0301te\u0301', 'ñandú', 'שלום עולם', 'مرحبا', '👍', '👨‍👩‍👧', '🇩🇪', '✊🏽', 'a\u0300\u0301\u0302',
  '─━│┃┌┐', '▁▂▃▄▅▆▇█', '⠁⠂⠄', 'ﬁ', '\u200b', '…', '𝔘𝔫𝔦', '①②③', '️❤️', 'ｆｕｌｌ', 'x'.repeat(30)];
const sgr = () => {
  const parts = [];
  for (let i = random(4); i >= 0; --i) {
    parts.push(pick([
      () => '0', () => '1', () => '2', () => '3', () => '4', () => '4:3', () => '4:5', () => '5', () => '7', () => '8', () => '9', () => '21', () => '22', () => '23',
      () => '24', () => '25', () => '27', () => '28', () => '29', () => '53', () => '55', () => '39', () => '49', () => '59',
      () => String(30 + random(8)), () => String(40 + random(8)), () => String(90 + random(8)), () => String(100 + random(8)),
      () => `38;5;${random(256)}`, () => `48;5;${random(256)}`, () => `38;2;${random(256)};${random(256)};${random(256)}`,
      () => `48;2;${random(256)};${random(256)};${random(256)}`, () => `38:2::${random(256)}:${random(256)}:${random(256)}`,
      () => `48:5:${random(256)}`, () => `58:2::${random(256)}:1:2`, () => `58;5;${random(256)}`,
    ])());
  }
  return `\x1b[${parts.join(';')}m`;
};
const text = () => {
  let line = '';
  for (let i = random(12); i >= 0; --i) line += pick(words) + pick([' ', '', '\t', sgr()]);
  return line;
};
const at = () => `\x1b[${1 + random(rows)};${1 + random(cols)}H`;
const link = () => `\x1b]8;${pick(['', 'id=a', 'id=b:x=y'])};https://example.test/${random(9)};x\x1b\\${pick(words)}${pick(['\x1b]8;;\x1b\\', '\x1b]8;;\x07', ''])}`;
const acts = [
  text, text, text, () => text() + '\r\n', () => text() + '\r\n', () => text() + '\r\n', sgr, at, at, link,
  () => `\x1b[${random(5)}${pick([...'ABCDEFGIZad`e'])}`,
  () => `\x1b[${random(3)}J`, () => `\x1b[${random(3)}K`, () => `\x1b[${random(4)}${pick([...'LMPX@ST'])}`,
  () => `\x1b[${random(6)}b`, () => '\x1b[?1J', () => `\x1b[1"q${pick(words)}\x1b[0"q`, () => '\x1b[?0J', () => '\x1b[?2K',
  () => { const top = 1 + random(rows - 2); return `\x1b[${top};${top + 1 + random(rows - top)}r`; }, () => '\x1b[r',
  () => '\x1b7', () => '\x1b8', () => '\x1b[s', () => '\x1b[u', () => '\x1bD', () => '\x1bM', () => '\x1bE', () => '\n', () => '\r', () => '\b\b',
  () => '\x1b(0lqqk\x1b(B', () => '\x1b)0\x0elqk\x0f', () => '\x1bH', () => '\x1b[g', () => '\x1b[3g', () => '\x1b[3g' + Array.from({ length: cols >> 3 }, (_, i) => `\x1b[${1 + i * 8}G\x1bH`).join(''),
  () => `\x1b[?${pick([1, 5, 6, 7, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1006, 1016, 2004, 2026])}${pick(['h', 'l'])}`,
  () => `\x1b[?${pick([9, 1000])}l`, () => '\x1b[?7h', () => '\x1b[?6l', () => '\x1b[?6l', () => `\x1b[${pick([4, 20])}${pick(['h', 'l', 'l'])}`, () => '\x1b[4l', () => '\x1b[?25h',
  () => `\x1b[${random(7)} q`, () => `\x1b[>${1 + random(31)}u`, () => '\x1b[<u', () => '\x1b[=5;1u', () => '\x1b[>4;2m',
  () => `\x1b]0;title ${random(99)} ä\x07`, () => `\x1b]2;other ${random(99)}\x1b\\`, () => '\x1b[22;0t', () => '\x1b[23;0t',
  () => `\x1b]4;${random(256)};rgb:${random(10)}${random(10)}/44/55\x07`, () => '\x1b]104\x07', () => '\x1b]10;#aabbcc\x07', () => '\x1b]110\x07',
  () => '\x1b[?1049h' + text() + at() + text(), () => '\x1b[?1049l', () => '\x1b[?47h', () => '\x1b[?47l', () => '\x1b[?1047h', () => '\x1b[?1047l', () => '\x1b[?1048h', () => '\x1b[?1048l',
  () => '\x1bP0;1q"1;1;8;8#0;2;0;0;0#1~~@@vv@@~~$-\x1b\\', () => '\x1bP+q544e\x1b\\', () => '\x1b_Gi=1,a=q;AAAA\x1b\\', () => '\x1b^private\x1b\\',
  () => '\x1b[c\x1b[>c\x1b[6n\x1b[?2004$p\x1b]11;?\x07\x1b[>q\x1b[?u', () => '\x1b[1;2;3;4;5;6x\x1b[?z\x1b[9999999999C\x1b[:::m',
  () => '\x1b[ @', () => '\x1b[2 A', () => "\x1b[2'}", () => "\x1b['~", () => '\x1b#8', () => '\x1b[!p', () => 'x'.repeat(cols), () => '宽'.repeat(cols >> 1),
  () => 'y'.repeat(cols - 1) + '宽', () => '\u009b31mC1\u0085', () => '\x1b[38;5', () => '\x1b]2;cut\x18', () => '\x1b[1\n;31mC0 inside\x1b[0m',
];

let recording = '';
for (let i = 0; i < 6000; ++i) {
  recording += pick(acts)();
  // Now and then a clean page, so that one oddity does not hide the next.
  if (i % 400 === 399) recording += pick(['\x1bc', '\x1b[!p\x1b[r\x1b[?6l\x1b[?7h\x1b[4l\x1b[H\x1b[2J', '\x1b[?1049l\x1b[3J\x1b[H\x1b[2J']);
  if (i % 90 === 89) recording += '\x1b[?1049l\x1b[?6l\x1b[r\x1b[?7h\x1b[4l\x1b[20l\x1b[?45l\x1b[0m' + '\r\n'.repeat(3);
}
writeFileSync(out, recording);
