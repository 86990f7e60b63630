#!/usr/bin/env node
// Builds the images of datasets/debian-official and datasets/soundness from Debian packages and loads them into
// the engine as prof-gen/NAME. Each image is one layer made by mmdebstrap and kept as a docker-archive in
// .cache/images; equal recipes give equal layers as long as the mirror holds the same packages, and no layer is
// built twice.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { imageRecipeSchema } from '@prof-gen/core';
import { parse } from 'yaml';

const run = promisify(execFile);
const workspace = join(import.meta.dirname, '..');
const recipes = ['debian-official', 'soundness'].map((name) => join(workspace, 'datasets', name));
const cache = join(workspace, '.cache/images');
/** Raised when this script builds something else from an equal recipe. */
const builderVersion = 1;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'no-load': { type: 'boolean', default: false },
    paths: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help || positionals.length === 0) {
  process.stdout.write(
    'usage: scripts/build-images.mjs [--no-load] [--paths] NAME…\n\n' +
      '  NAME       a recipe of datasets/debian-official or datasets/soundness, such as: redis nginx soundness\n' +
      '  --no-load  leave the archives in .cache/images and do not touch an engine\n' +
      '  --paths    print the archives instead, one a line\n',
  );
  process.exit(values.help ? 0 : 2);
}

await mkdir(cache, { recursive: true });
const queue = [...positionals];
const workers = Array.from({ length: Math.min(2, availableParallelism(), queue.length) }, async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) await provide(name);
});
const failed = (await Promise.allSettled(workers)).filter((result) => result.status === 'rejected');
for (const { reason } of failed) process.stderr.write(`build-images: ${reason.stderr || reason.message}\n`);
process.exit(failed.length === 0 ? 0 : 1);

/** Builds the image unless its archive is at hand, and loads it unless the engine has it. */
async function provide(name) {
  const file = recipes.map((directory) => join(directory, `${name}.yaml`)).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`there is no recipe ${name}`);
  const recipe = imageRecipeSchema.parse(parse(await readFile(file, 'utf8')));
  const key = createHash('sha256')
    .update(JSON.stringify([builderVersion, recipe]))
    .digest('hex')
    .slice(0, 16);
  const archive = join(cache, `${name}-${key}.tar`);
  const started = Date.now();
  let built = false;
  if (!existsSync(archive)) {
    say(`${name}: building from ${recipe.packages.join(', ')} (${recipe.suite})`);
    await build(recipe, archive);
    built = true;
  }
  if (!values['no-load']) await load(archive, `prof-gen/${name}:latest`);
  say(`${name}: ${built ? `built in ${Math.round((Date.now() - started) / 1000)} s` : 'at hand'}`);
  if (values.paths) process.stdout.write(`${archive}\n`);
}

function say(line) {
  (values.paths ? process.stderr : process.stdout).write(`${line}\n`);
}

async function build(recipe, archive) {
  const directory = await mkdtemp(join(tmpdir(), 'prof-gen-image-'));
  try {
    const files = join(directory, 'files');
    await mkdir(files);
    for (const { path, content, mode } of recipe.files) {
      await mkdir(dirname(join(files, path)), { recursive: true });
      await writeFile(join(files, path), content, { mode });
    }
    for (const { path, target } of recipe.links) {
      await mkdir(dirname(join(files, path)), { recursive: true });
      await symlink(target, join(files, path));
    }
    const layer = join(directory, 'layer.tar');
    // Root's are there before the packages, whose scripts may need them; other owners come with the packages.
    const hooks = recipe.directories.map(
      ({ path, owner, mode }) =>
        `--${owner === 'root' ? 'essential' : 'customize'}-hook=chroot "$1" ` +
        `install -d -o ${owner} -g ${owner} -m ${mode.toString(8)} ${path}`,
    );
    await run(
      'mmdebstrap',
      [
        '--variant=minbase',
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Retries "3"',
        '--dpkgopt=path-exclude=/usr/share/doc/*',
        '--dpkgopt=path-exclude=/usr/share/man/*',
        '--dpkgopt=path-exclude=/usr/share/locale/*',
        `--include=${recipe.packages.join(',')}`,
        ...hooks,
        // No --chown: the files belong to root, as the staging directory does.
        `--customize-hook=sync-in ${files} /`,
        '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
        recipe.suite,
        layer,
      ],
      { env: { ...process.env, SOURCE_DATE_EPOCH: '0' }, maxBuffer: 64 << 20 },
    );
    const diffId = await sha256(layer);
    const { config } = recipe;
    const set = (names) =>
      names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, {}]));
    const imageConfig = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: {
        Entrypoint: config.entrypoint,
        Cmd: config.cmd,
        Env: config.env,
        User: config.user,
        WorkingDir: config.workingDir,
        ExposedPorts: set(config.ports),
        Volumes: set(config.volumes),
        StopSignal: config.stopSignal,
        Healthcheck: config.healthcheck && { Test: config.healthcheck },
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'prof-gen build-images' }],
    });
    const configName = `${createHash('sha256').update(imageConfig).digest('hex')}.json`;
    await writeFile(join(directory, configName), imageConfig);
    await writeFile(
      join(directory, 'manifest.json'),
      JSON.stringify([
        { Config: configName, RepoTags: [`prof-gen/${recipe.name}:latest`], Layers: ['layer.tar'] },
      ]),
    );
    // Beside the final name, so that a half-written archive never bears it.
    const partial = `${archive}.${process.pid}.partial`;
    await run('tar', [
      '--create',
      '--sort=name',
      '--mtime=@0',
      '--owner=0',
      '--group=0',
      `--file=${partial}`,
      `--directory=${directory}`,
      configName,
      'manifest.json',
      'layer.tar',
    ]);
    await rename(partial, archive);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Loads the archive unless the tag already names the very image. */
async function load(archive, tag) {
  const { stdout } = await run('tar', ['--extract', '--to-stdout', `--file=${archive}`, 'manifest.json']);
  const id = `sha256:${JSON.parse(stdout)[0].Config.replace('.json', '')}`;
  const present = await run('docker', ['image', 'inspect', '--format', '{{.Id}}', tag]).catch(
    () => undefined,
  );
  if (present?.stdout.trim() !== id) await run('docker', ['load', '--quiet', '--input', archive]);
}

async function sha256(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
