import { isEntryPath } from '~/features/artifacts/files/preview-kind'
import { NotAScene } from '~/features/artifacts/files/scene/point-cloud'

/** Reads another file of the version. */
export type ReadFile = (path: string) => Promise<ArrayBuffer>

interface Gltf {
  buffers?: { byteLength?: number; uri?: string }[]
  bufferViews?: { buffer: number; byteOffset?: number; byteLength: number }[]
  images?: { uri?: string; bufferView?: number; mimeType?: string }[]
}

const GLB_MAGIC = 0x46546c67
const JSON_CHUNK = 0x4e4f534a
const BINARY_CHUNK = 0x004e4942
const HEADER_BYTES = 12
/** More files than a scene has; each is a request. */
const MAX_FILES = 256

/**
 * A glTF scene with all that belongs to it in one binary file: what it names is read from the same version, what is in its
 * text is decoded, and an address of somebody else is refused. So whatever a file says, drawing it sends no request.
 */
export async function packGltf(bytes: ArrayBuffer, path: string, readFile: ReadFile): Promise<ArrayBuffer> {
  const { json, binary } = isBinary(bytes)
    ? splitBinary(bytes)
    : { json: parseJson(new TextDecoder().decode(bytes)), binary: null }
  const parts: Uint8Array[] = []
  let length = 0
  /** Puts bytes at the end of the one buffer; answers where. */
  const append = (part: Uint8Array): number => {
    const at = length
    const padding = (4 - (part.length % 4)) % 4
    parts.push(part, new Uint8Array(padding))
    length += part.length + padding
    return at
  }
  const named = [...listOf(json.buffers), ...listOf(json.images)].filter(({ uri }) => uri !== undefined)
  if (named.length > MAX_FILES) throw new NotAScene(`the scene consists of more than ${MAX_FILES} files`)
  const offsets: number[] = []
  for (const [index, { uri }] of listOf(json.buffers).entries()) {
    if (uri !== undefined) offsets.push(append(await resolve(uri, path, readFile)))
    else if (index === 0 && binary !== null) offsets.push(append(binary))
    else throw new NotAScene('the scene names no bytes for one of its buffers')
  }
  const views = listOf(json.bufferViews).map((view) => {
    const offset = offsets[view.buffer]
    if (offset === undefined) throw new NotAScene('the scene names a buffer that it does not have')
    return { ...view, buffer: 0, byteOffset: offset + (view.byteOffset ?? 0) }
  })
  const images: Gltf['images'] = []
  for (const { uri, ...image } of listOf(json.images)) {
    if (uri === undefined) {
      images.push(image)
      continue
    }
    const picture = await resolve(uri, path, readFile)
    views.push({ buffer: 0, byteOffset: append(picture), byteLength: picture.length })
    images.push({ ...image, bufferView: views.length - 1, mimeType: image.mimeType ?? pictureType(picture) })
  }
  const packed: Gltf = { ...json, bufferViews: views, images }
  if (length > 0) packed.buffers = [{ byteLength: length }]
  // Lists that are there must not be empty.
  for (const name of ['bufferViews', 'images'] as const) if (packed[name]?.length === 0) delete packed[name]
  return joinBinary(packed, parts)
}

function listOf<T>(value: T[] | undefined): T[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new NotAScene('the scene is not laid out as glTF is')
  return value
}

function isBinary(bytes: ArrayBuffer): boolean {
  return bytes.byteLength >= HEADER_BYTES && new DataView(bytes).getUint32(0, true) === GLB_MAGIC
}

function parseJson(text: string): Gltf {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new NotAScene('the scene is no JSON, or not all of it')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new NotAScene('the scene is no JSON object')
  return value as Gltf
}

function splitBinary(bytes: ArrayBuffer): { json: Gltf; binary: Uint8Array | null } {
  const view = new DataView(bytes)
  let json: Gltf | null = null
  let binary: Uint8Array | null = null
  let at = HEADER_BYTES
  while (at + 8 <= bytes.byteLength) {
    const size = view.getUint32(at, true)
    const kind = view.getUint32(at + 4, true)
    if (at + 8 + size > bytes.byteLength) throw new NotAScene('the file ends in the middle of a part')
    const part = new Uint8Array(bytes, at + 8, size)
    if (kind === JSON_CHUNK && json === null) json = parseJson(new TextDecoder().decode(part))
    if (kind === BINARY_CHUNK && binary === null) binary = part
    at += 8 + size
  }
  if (json === null) throw new NotAScene('the file has no scene in it')
  return { json, binary }
}

function joinBinary(json: Gltf, parts: readonly Uint8Array[]): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(json))
  const textLength = text.length + ((4 - (text.length % 4)) % 4)
  const binaryLength = parts.reduce((sum, part) => sum + part.length, 0)
  const total = HEADER_BYTES + 8 + textLength + (binaryLength === 0 ? 0 : 8 + binaryLength)
  const bytes = new Uint8Array(total)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, GLB_MAGIC, true)
  view.setUint32(4, 2, true)
  view.setUint32(8, total, true)
  view.setUint32(12, textLength, true)
  view.setUint32(16, JSON_CHUNK, true)
  bytes.fill(0x20, 20, 20 + textLength)
  bytes.set(text, 20)
  if (binaryLength === 0) return bytes.buffer
  let at = 20 + textLength
  view.setUint32(at, binaryLength, true)
  view.setUint32(at + 4, BINARY_CHUNK, true)
  at += 8
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes.buffer
}

/** The bytes that a URI in the scene at `path` stands for. */
async function resolve(uri: string, path: string, readFile: ReadFile): Promise<Uint8Array> {
  const inline = /^data:[^,]*;base64,/i.exec(uri)
  if (inline !== null) return decodeBase64(uri.slice(inline[0].length))
  if (typeof uri !== 'string' || /^[a-z][a-z0-9+.-]*:|^\//i.test(uri)) {
    throw new NotAScene(`the scene asks for ${String(uri).slice(0, 200)}, which is not in this version`)
  }
  const full = joinPath(path, decodeUri(uri))
  if (full === null) throw new NotAScene(`the scene asks for ${uri.slice(0, 200)}, which is not in this version`)
  return new Uint8Array(await readFile(full))
}

function decodeUri(uri: string): string {
  try {
    return decodeURIComponent(uri)
  } catch {
    return uri
  }
}

/** A path beside the file at `from`; `null` when it leads out of the version. */
function joinPath(from: string, to: string): string | null {
  const parts = from.split('/').slice(0, -1)
  for (const part of to.split('/')) {
    if (part === '.' || part === '') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return null
  }
  const path = parts.join('/')
  return isEntryPath(path) ? path : null
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    throw new NotAScene('the scene has bytes in its text that are no base64')
  }
}

function pictureType(bytes: Uint8Array): string {
  return bytes[0] === 0x89 && bytes[1] === 0x50 ? 'image/png' : 'image/jpeg'
}
