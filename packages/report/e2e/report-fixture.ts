import { profileDocumentFixture } from '@prof-gen/testkit';
import type { ReportImage, ReportInput } from '../src/index.js';

/** Tries every way out of text: an element, an attribute, a script block, a URL, a control character. */
export const hostile = `"><img src=x onerror="window.owned=1"></script><script>window.owned=1</script>'\${window.owned=1}\u202e\u0007`;

export function reportImage(
  name: string,
  allowed: number,
  status: 'proven' | 'failed' = 'proven',
): ReportImage {
  return {
    name,
    official: `${name}:1`,
    category: 'database',
    document: profileDocumentFixture({ name, allowed, status }),
    dockerProfile: '{"defaultAction":"SCMP_ACT_ERRNO"}\n',
    timings: {
      open: 800,
      programs: 90,
      observe: 9000,
      summarise: 2100,
      link: 340,
      build: 12,
      prove: 21000,
      keep: 20,
    },
  };
}

export const reportInput: ReportInput = {
  title: 'Seccomp profiles of three images',
  run: {
    dataset: 'debian-official',
    toolVersion: '0.1.0',
    analyzerVersion: '1',
    engine: {
      engine: 'docker',
      engineVersion: '20.10.24',
      runtime: 'runc',
      runtimeVersion: '1.1.5',
      kernel: '6.1.0',
      cgroupVersion: '1',
    },
  },
  images: [
    reportImage('redis', 109),
    reportImage('nginx', 116),
    reportImage('python', 193, 'failed'),
    reportImage(hostile, 60),
  ],
  failures: [
    {
      name: `gone${hostile}`,
      error: { code: 'registry/not-found', message: `no such tag ${hostile}`, hint: 'check the name' },
    },
  ],
};
