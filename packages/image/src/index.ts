export { defaultImageLimits, type ImageLimits } from './limits/image-limits.js';
export { type OpenedImage, type OpenImageOptions, openImage } from './open-image.js';
export type { RegistryOptions } from './registry/registry-options.js';
