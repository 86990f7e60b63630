import { join } from 'node:path';
import { ProfGenError, printable, renderOfficialDataset } from '@prof-gen/core';
import { type CrawlResult, crawlOfficial, latestOfficial } from '@prof-gen/runner';
import { Argument, type Command } from 'commander';
import { cacheDirectory } from '../cache-directory.js';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { crawlText } from '../reporters/crawl-text.js';
import { withEvents } from '../session.js';
import { writeWholeFile } from '../write-file.js';
import { collect } from './image-options.js';
import { positiveInteger } from './session-options.js';

interface CrawlCommandOptions {
  readonly to: string;
  readonly library?: string;
  readonly hub: URL | false;
  readonly mirror?: string;
  readonly only: string[];
  readonly offline?: boolean;
  readonly withLayers?: boolean;
  readonly partial?: boolean;
  readonly restart?: boolean;
  readonly jobs: number;
  readonly date?: string;
  readonly cache?: string;
  readonly quiet?: boolean;
  readonly progress: boolean;
}

const examples = `
Docker Hub's API says which repositories there are and how often each was pulled; a clone of
https://github.com/docker-library/official-images says which tags are current and what they are built
from. Of each repository the tag \`latest\` is taken, else the newest stable one, and pinned by digest
with what its config says of the run command. Tags are asked for by HEAD, which Docker Hub does not
count; at the end of its limit the crawl waits and says until when. Credentials are those of docker login.

The dataset is written to DIR/DATE.json. Marks that people made in the newest one there are taken over.
A crawl that was interrupted goes on when the same command is run again. Only what could not be asked
for now keeps the dataset from being written; what the registry does not have is said in it.

Examples:
  prof-gen crawl official
  prof-gen crawl official --library ~/official-images --with-layers
  prof-gen crawl official --only redis --only nginx
  prof-gen crawl official --no-hub --mirror mirror.example:5000
  prof-gen run datasets/docker-official/2026-08-21.json --static

Exit codes: 0 good, 1 failed, 2 usage, 4 something is left to ask for, 5 environment.
`;

/** `prof-gen crawl official`: Docker's official images, pinned. */
export function defineCrawlCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('crawl')
    .summary("pin Docker's official images by digest in a dataset")
    .description("List Docker's official images, pin each by digest, and write them as a dataset.")
    .addArgument(new Argument('<what>', 'which images').choices(['official']))
    .option('--to <dir>', 'directory of the datasets', 'datasets/docker-official')
    .option('--library <dir>', 'clone of docker-library/official-images')
    .option('--hub <url>', "address of Docker Hub's API", parseUrl, new URL('https://hub.docker.com/'))
    .option('--no-hub', 'do not ask Docker Hub which repositories there are')
    .option('--mirror <host>', 'registry to ask in place of docker.io; HOST[:PORT][/PREFIX]')
    .option(
      '--only <name>',
      'crawl this repository, and keep the others as they are; repeatable',
      collect,
      [],
    )
    .option('--offline', 'ask nobody: the dataset of what the last such crawl has kept')
    .option('--with-layers', 'read all layers into the cache (of all images: tens of gigabytes)')
    .option('--partial', 'write the dataset although something is left to ask for')
    .option('--restart', 'begin anew where an interrupted crawl would go on')
    .option('-j, --jobs <n>', 'repositories under way at once', positiveInteger, 4)
    .option('--date <day>', 'day of the dataset, YYYY-MM-DD (default: today, UTC)', parseDay)
    .option('--cache <dir>', 'directory of the cache (default: $PROF_GEN_CACHE or ~/.cache/prof-gen)')
    .option('-q, --quiet', 'print results, warnings and errors only')
    .option('--no-progress', 'lines instead of a live display')
    .addHelpText('after', examples)
    .action(async (_what: string, options: CrawlCommandOptions) => {
      exit(await crawl(io, options));
    });
}

const today = (): string => new Date().toISOString().slice(0, 10);

async function crawl(io: Io, options: CrawlCommandOptions): Promise<number> {
  const { to, hub, library, mirror, only, date = today() } = options;
  const base = await latestOfficial(to, date);
  const result = await withEvents(io, options, (onEvent, signal) =>
    crawlOfficial({
      cache: cacheDirectory(io, options.cache),
      date,
      hub: hub === false ? undefined : hub,
      only,
      offline: options.offline === true,
      withLayers: options.withLayers === true,
      partial: options.partial === true,
      restart: options.restart === true,
      jobs: options.jobs,
      onEvent,
      signal,
      ...(library === undefined ? {} : { library }),
      ...(mirror === undefined ? {} : { mirror }),
      ...(base === undefined ? {} : { base }),
    }),
  );
  const file = join(to, `${result.date}.json`);
  if (result.dataset !== undefined) await writeWholeFile(file, renderOfficialDataset(result.dataset));
  io.stdout.write(crawlText(result, base, file));
  return exitCodeOfCrawl(result);
}

function exitCodeOfCrawl({ left, layersLeft }: CrawlResult): number {
  return left.length + layersLeft.length > 0 ? exitCodes.partly : exitCodes.good;
}

function parseUrl(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new ProfGenError('usage/options', `"${printable(text)}" is not an address`, {
    hint: 'such as: --hub https://hub.docker.com/',
  });
}

function parseDay(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new ProfGenError('usage/options', `"${printable(text)}" is not a day`, {
    hint: 'write it as YYYY-MM-DD',
  });
}
