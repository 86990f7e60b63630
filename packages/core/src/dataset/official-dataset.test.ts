import { describe, expect, it } from 'vitest';
import {
  datasetOfOfficial,
  type OfficialDataset,
  type OfficialImage,
  officialDatasetSchema,
  renderOfficialDataset,
} from './official-dataset.js';

const hex = (digit: string) => `sha256:${digit.repeat(64)}` as const;
const config = {
  healthcheck: [],
  stopSignal: 'SIGTERM',
  user: '',
  workingDir: '/',
  volumes: [],
  exposedPorts: [],
  env: [],
  cmd: ['sh'],
  entrypoint: [],
};

function dataset(...images: OfficialImage[]): OfficialDataset {
  return {
    images,
    confineElsewhere: [],
    sources: {},
    platform: 'linux/amd64',
    date: '2026-08-21',
    kind: 'docker-official',
    schemaVersion: 1,
  };
}

const pinned: OfficialImage = {
  name: 'b',
  state: 'active',
  tag: 'latest',
  digest: hex('1'),
  manifest: hex('2'),
  configFrom: 'image',
  config,
  categories: ['Web Servers', 'Other'],
  env: ['A=1'],
  workload: '../workloads/b.yaml',
};

describe('a dataset of official images', () => {
  it('has one form, whatever the order of its fields', () => {
    const text = renderOfficialDataset(dataset(pinned));
    const { name, ...rest } = pinned;
    expect(renderOfficialDataset(dataset({ ...rest, name }))).toBe(text);
    expect(renderOfficialDataset(officialDatasetSchema.parse(JSON.parse(text)))).toBe(text);
    // For diffs: no line holds two fields or two elements.
    expect(text.split('\n').filter((line) => /",\s*"/.test(line) || /:.*":/.test(line))).toEqual([]);
    expect(text.indexOf('"entrypoint"')).toBeLessThan(text.indexOf('"healthcheck"'));
  });

  it('is run by digest where it is pinned and by tag where not; what has no tag cannot be run', () => {
    const { images, name } = datasetOfOfficial(
      dataset({ name: 'a', state: 'active', tag: '1.2' }, pinned, { name: 'c', state: 'retired' }),
    );
    expect(name).toBe('docker-official-2026-08-21');
    expect(images).toEqual([
      { name: 'a', reference: 'registry:docker.io/library/a:1.2', official: 'a:1.2' },
      {
        name: 'b',
        reference: `registry:docker.io/library/b@${hex('2')}`,
        official: 'b:latest',
        category: 'Web Servers',
        env: ['A=1'],
        workload: '../workloads/b.yaml',
      },
    ]);
  });

  it.each<[string, OfficialImage[]]>([
    ['names out of order', [pinned, { ...pinned, name: 'a' }]],
    ['a name twice', [pinned, pinned]],
    ['a name that is a path', [{ ...pinned, name: '../b' }]],
    ['a manifest without the digest of its tag', [{ ...pinned, digest: undefined }]],
    ['a digest that is none', [{ ...pinned, digest: 'sha256:1' }]],
    ['a config of an image that nobody has seen', [{ ...pinned, digest: undefined, manifest: undefined }]],
    ['a digest of what is not there', [{ ...pinned, unavailable: 'image/not-found' }]],
    ['a tag that is none', [{ ...pinned, tag: '-x' }]],
    ['a text without end', [{ ...pinned, config: { ...config, user: 'x'.repeat(40_000) } }]],
    ['an unknown field', [{ ...pinned, colour: 'red' } as OfficialImage]],
  ])('refuses %s', (_, images) => {
    expect(officialDatasetSchema.safeParse(dataset(...images)).success).toBe(false);
  });
});
