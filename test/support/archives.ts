/** Archives byte by byte, because no packer makes the hostile ones. */

import { crc32, deflateRawSync, gzipSync } from 'node:zlib';

export interface Packed {
  readonly path: string;
  readonly text?: string | Buffer;
  /** Permission bits; default 0644. */
  readonly mode?: number;
  /** Target of a symbolic link. */
  readonly link?: string;
  /** tar only: '1' hard link, '3' character device, '6' pipe. */
  readonly type?: string;
  /** Seconds since 1970; default 2026-10-01. */
  readonly mtime?: number;
}

const MTIME = Date.UTC(2026, 9, 1) / 1000;

export function tar(entries: readonly Packed[], { gzip = false } = {}): Buffer {
  const blocks = entries.flatMap(({ path, text = '', mode = 0o644, link = '', type, mtime = MTIME }) => {
    const kind = type ?? (path.endsWith('/') ? '5' : link === '' ? '0' : '2');
    const data = kind === '0' ? Buffer.from(text) : Buffer.alloc(0);
    const header = Buffer.alloc(512);
    const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
    header.write(path, 0, 100);
    header.write(octal(mode, 8), 100);
    header.write(octal(0, 8) + octal(0, 8) + octal(data.length, 12) + octal(mtime, 12), 108);
    header.write(' '.repeat(8), 148);
    header.write(kind, 156);
    header.write(link, 157, 100);
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  const packed = Buffer.concat([...blocks, Buffer.alloc(1024)]);
  return gzip ? gzipSync(packed) : packed;
}

export interface ZipOptions {
  /** As packed on Windows: without Unix modes. */
  readonly dos?: boolean;
  /** Written in place of the true checksum. */
  readonly crc?: number;
}

export function zip(entries: readonly Packed[], { dos = false, crc }: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { path, text = '', mode = 0o644, link } of entries) {
    const data = Buffer.from(link ?? text);
    const packed = deflateRawSync(data);
    const name = Buffer.from(path);
    const type = link !== undefined ? 0o120000 : path.endsWith('/') ? 0o040000 : 0o100000;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    // UTF-8 names, deflated, 2026-10-01.
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(((2026 - 1980) << 9) | (10 << 5) | 1, 8);
    common.writeUInt32LE(crc ?? crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(dos ? 0 : ((type | mode) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, name, packed);
    central.push(
      Buffer.from(
        ['P', 'K', 1, 2, 20, dos ? 0 : 3].map((byte) => (typeof byte === 'string' ? byte.charCodeAt(0) : byte)),
      ),
    );
    central.push(common, tail, name);
    offset += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directory, end]);
}
