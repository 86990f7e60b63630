// Started by killed-run.test.ts with the built store: works through a plan until somebody ends the process.
import { readFileSync } from 'node:fs';
import { openStore } from '../dist/index.js';

const [file, input] = process.argv.slice(2);
const { run, names, result } = JSON.parse(readFileSync(input, 'utf8'));
const store = openStore(file);
const id = store.runs.unfinished(run) ?? store.runs.begin(run);
store.images.plan(
  id,
  names.map((name) => ({ name })),
);
for (const name of store.images.pending(id)) {
  store.images.start(id, name);
  store.images.finish(id, name, result);
  process.stdout.write(`${name}\n`);
}
store.runs.finish(id, 'done');
store.close();
