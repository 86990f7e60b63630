/** Loopback by name or number: the only hosts that are spoken to without TLS. */
function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  );
}

/** Where a registry's API is. Docker Hub's name is not its address; loopback registries speak plain http. */
export function endpointOf(registry: string): URL {
  if (registry === 'docker.io') return new URL('https://registry-1.docker.io/');
  const url = new URL(`https://${registry}/`);
  if (isLoopback(url.hostname)) url.protocol = 'http:';
  // Port 443 is dropped by URL for https and must come back for http; other ports are kept.
  if (url.protocol === 'http:' && /:443$/.test(registry)) url.port = '443';
  return url;
}

/** Whether a request may go to `url`: by TLS anywhere, without it on this machine alone and only from there. */
export function isAllowed(url: URL, from: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopback(url.hostname) && isLoopback(from.hostname);
}
