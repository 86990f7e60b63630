/** How fast hosts may be asked, for a caller that asks much. One is shared by all requests. */
export interface Pace {
  /**
   * Waits until a request may be sent.
   * @throws ProfGenError `registry/rate-limited` when that would be too long
   */
  before(host: string, method: string, signal: AbortSignal | undefined): Promise<void>;
  /** Learns from the head of an answer. */
  after(host: string, status: number, headers: Headers): void;
  /**
   * A request was refused with 429.
   * @param retryAfter milliseconds that the host asks for; 0 when it does not say
   * @returns whether to send it again, when `before` lets it through
   */
  refused(host: string, retryAfter: number): boolean;
}

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
  /** Keeps to the limits that hosts tell of; without one, a 429 is an error like any other. */
  readonly pace?: Pace;
}
