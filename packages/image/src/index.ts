export { writeAtomically } from './cache/atomic-file.js';
export { type DescribeImageOptions, describeImage, type ImageDescription } from './describe-image.js';
export { defaultImageLimits, type ImageLimits } from './limits/image-limits.js';
export { type OpenedImage, type OpenImageOptions, openImage } from './open-image.js';
export { isAllowed } from './registry/endpoint.js';
export type { Pace, RegistryOptions } from './registry/registry-options.js';
export { type Answer, answerError, type Transport, transport } from './registry/transport.js';
export { concurrently } from './stream/concurrently.js';
