// Unpacks Chromium from its npm package: node unpack.mjs PACKAGE FOLDER
//
// The package can do that itself, but only into /tmp and only under a recent Node.js.
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

const [from, to] = process.argv.slice(2).map(path => resolve(path));
const unpack = (name, path, mode) =>
  pipeline(createReadStream(join(from, 'bin', name)), createBrotliDecompress(), createWriteStream(path, { mode }));

mkdirSync(to, { recursive: true });
await unpack('chromium.br', join(to, 'chromium'), 0o755);
// Libraries that a small system lacks, the software renderer, one font.
for (const archive of ['al2023', 'swiftshader', 'fonts']) {
  const tar = join(to, `${archive}.tar`);
  await unpack(`${archive}.tar.br`, tar);
  execFileSync('tar', ['-x', '-f', tar, '-C', to], { stdio: 'inherit' });
  rmSync(tar);
}
// A system without a font of its own would show nothing at all.
writeFileSync(join(to, 'fonts.conf'), `<?xml version="1.0"?>
<fontconfig><dir>/usr/share/fonts</dir><dir>${join(to, 'fonts')}</dir><cachedir>${join(to, 'cache')}</cachedir></fontconfig>
`);
