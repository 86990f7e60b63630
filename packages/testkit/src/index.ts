export { diskTree } from './disk-tree.js';
export { type BuiltRelocation, type BuiltSymbol, buildElf, CODE, DATA, type ElfPlan } from './elf-builder.js';
export { type MemoryFile, memoryTree } from './memory-tree.js';
export { mutateElf } from './fuzz/mutate-elf.js';
export { randomSource } from './fuzz/random-source.js';
export { type FixtureOptions, profileDocumentFixture } from './profile-document-fixture.js';
export {
  dockerArchiveLegacy,
  dockerArchiveOci,
  type FixtureBlob,
  type FixtureImage,
  fixtureBlob,
  fixtureImage,
  ociArchive,
  writeOciLayout,
} from './image/fixture-image.js';
export { type AdversarialLayer, adversarialLayers } from './layer/adversarial-layers.js';
export { buildLayer, type LayerEntry } from './layer/build-layer.js';
export { type DockerRegistry, startDockerRegistry } from './registry/docker-registry.js';
export { type FakeHub, type FakeHubTag, startFakeHub } from './registry/fake-hub.js';
export { type FakeRegistry, startFakeRegistry } from './registry/fake-registry.js';
export { type FakeServer, type Misbehaviour, reply, type SeenRequest } from './registry/fake-server.js';
export { type Execution, readStraceLog } from './soundness/strace-log.js';
