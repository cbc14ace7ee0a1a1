/** The size that the image adds to its base. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { printTable } from './table.ts';

const root = join(import.meta.dirname, '../..');
const limit = 1_000_000;
// crane compresses uncompressed layers with the fastest level:
// https://github.com/google/go-containerregistry/blob/v0.20.6/pkg/v1/tarball/layer.go
const levels = { 'gzip -1, the default of crane': 1, 'gzip -9, as in the package': 9 };

/** Prints the compressed size of the layer in `image`, next to that of the sources with their installed dependencies. */
export function printSizes(image: string): void {
  const [ours, installed] = [tar(image, ['app']), tar(root, ['functions', ...dependencies()])];
  const rows = Object.entries(levels).map(([name, level]) => {
    const bytes = [ours, installed].map((layer) => gzipSync(layer, { level }).length);
    return [name, ...bytes, `${((bytes[0]! / limit) * 100).toFixed(0)} %`, 1];
  });
  printTable(
    'Compressed bytes that the image adds to its base',
    ['', 'two bundles', 'baseline: sources and node_modules', `of the limit of ${limit}`, 'n'],
    rows,
  );
}

/** Packs the layer as functions/package/build.sh does. */
function tar(folder: string, paths: string[]): Buffer {
  const fixed = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  return execFileSync('tar', [...fixed, '-C', folder, '-cf', '-', ...paths], { maxBuffer: 2 ** 30 });
}

/** The installed runtime dependencies. A nested one is part of its parent. */
function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(packages).flatMap(([path, { dev, optional, devOptional }]) =>
    dev || optional || devOptional || path.lastIndexOf('node_modules/') > 0 ? [] : [path],
  );
}
