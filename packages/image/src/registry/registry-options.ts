/** What a caller may change about registries. Times are in milliseconds. */
export interface RegistryOptions {
  /** Directory of Docker's config.json; by default $DOCKER_CONFIG, then ~/.docker. */
  readonly dockerConfig?: string;
  /** Tries of one request before giving up: 429, 5xx, broken connections. Default 5. */
  readonly attempts?: number;
  /** Longest silence: before an answer, and between two pieces of it. Default 30 s. */
  readonly silence?: number;
  /** Longest wait that a registry may ask for with Retry-After. Default 60 s. */
  readonly longestWait?: number;
  /** First pause before another try; doubled each time. Default 500 ms. */
  readonly firstPause?: number;
}
