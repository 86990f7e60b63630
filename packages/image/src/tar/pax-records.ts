import { badHeader } from './tar-error.js';

/**
 * The records `LENGTH KEY=VALUE\n` of a PAX extended header, in order; values are bytes, since names
 * that are not UTF-8 occur. POSIX pax(1), "pax Extended Header".
 * @throws ProfGenError `archive/bad-header`
 */
export function parsePaxRecords(
  data: Uint8Array,
  offset: number,
): readonly (readonly [string, Uint8Array])[] {
  const records: [string, Uint8Array][] = [];
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? '' : Buffer.from(data.subarray(at, space)).toString('latin1');
    const end = at + Number(digits);
    if (!/^[0-9]{1,9}$/.test(digits) || end > data.length || data[end - 1] !== 0x0a || end - 1 <= space) {
      throw badHeader('a PAX record is malformed', offset);
    }
    const equals = data.indexOf(0x3d, space);
    if (equals < 0 || equals >= end || equals === space + 1)
      throw badHeader('a PAX record has no key', offset);
    const key = Buffer.from(data.subarray(space + 1, equals)).toString('utf8');
    records.push([key, data.slice(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}
