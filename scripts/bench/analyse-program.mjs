// One analysis of one program in a process of its own: ROOTFS PROGRAM DATABASE OUTPUT. An empty database makes it cold.
import { writeFile } from 'node:fs/promises';
import { openAnalyser } from '../soundness/analyse.mjs';

const [rootfs, path, database, output, ...known] = process.argv.slice(2);
const analyser = await openAnalyser(rootfs, { database, threads: 1 });
// An image has the list of its files, and their digests, from when its layers were read; here they would be made on
// first sight.
for (const entry of analyser.tree.entries()) void entry.type;
for (const file of known) void analyser.tree.lookup(file)?.digest;
const started = performance.now();
const { program } = await analyser.analyse(analyser.tree.resolve(path).entry.path);
const seconds = (performance.now() - started) / 1000;
await analyser.close();
await writeFile(
  output,
  JSON.stringify({
    seconds,
    calls: program.syscalls.length,
    objects: [...new Set(program.objects.map((object) => object.path))],
  }),
);
