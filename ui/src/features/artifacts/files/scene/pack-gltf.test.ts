import { expect, test } from 'vitest'
import { packGltf } from '~/features/artifacts/files/scene/pack-gltf'
import { NotAScene } from '~/features/artifacts/files/scene/point-cloud'

const encode = (value: unknown): ArrayBuffer => new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer
const base64 = (bytes: number[]) => `data:application/octet-stream;base64,${btoa(String.fromCharCode(...bytes))}`

/** The JSON and the buffer of a packed scene. */
function unpack(bytes: ArrayBuffer): { json: Record<string, unknown>; binary: number[] } {
  const view = new DataView(bytes)
  expect(view.getUint32(8, true)).toBe(bytes.byteLength)
  const size = view.getUint32(12, true)
  const json = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, size)))
  const binary = bytes.byteLength > 20 + size ? [...new Uint8Array(bytes, 28 + size)] : []
  return { json, binary }
}

const nothing = () => Promise.reject(new Error('nothing is read'))

test('all that a scene consists of comes into one file', async () => {
  const asked: string[] = []
  const readFile = async (path: string) => {
    asked.push(path)
    return new Uint8Array(path.endsWith('.png') ? [0x89, 0x50, 1] : [7, 8]).buffer
  }
  const scene = {
    asset: { version: '2.0' },
    buffers: [
      { byteLength: 3, uri: base64([1, 2, 3]) },
      { byteLength: 2, uri: 'parts/more%20of%20it.bin' },
    ],
    bufferViews: [
      { buffer: 0, byteLength: 3 },
      { buffer: 1, byteOffset: 1, byteLength: 1 },
    ],
    images: [{ uri: '../skin.png' }],
  }
  const { json, binary } = unpack(await packGltf(encode(scene), 'scenes/car/a.gltf', readFile))
  expect(asked).toEqual(['scenes/car/parts/more of it.bin', 'scenes/skin.png'])
  expect(json).toEqual({
    asset: { version: '2.0' },
    buffers: [{ byteLength: 12 }],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: 3 },
      { buffer: 0, byteOffset: 5, byteLength: 1 },
      { buffer: 0, byteOffset: 8, byteLength: 3 },
    ],
    images: [{ bufferView: 2, mimeType: 'image/png' }],
  })
  expect(binary).toEqual([1, 2, 3, 0, 7, 8, 0, 0, 0x89, 0x50, 1, 0])
  // Packed once more it is the same.
  const again = await packGltf(await packGltf(encode(scene), 'scenes/car/a.gltf', readFile), 'a.glb', nothing)
  expect(unpack(again)).toEqual({ json, binary })
})

test('a scene sends nobody anywhere', async () => {
  for (const uri of [
    'https://example.org/spy.bin',
    '//example.org/spy.bin',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '../../other/secret.bin',
    '/api/v1/session',
    'data:,plain',
    base64([1]).slice(0, -1).concat('*'),
  ]) {
    const scene = { asset: { version: '2.0' }, buffers: [{ byteLength: 1, uri }] }
    await expect(packGltf(encode(scene), 'scenes/a.gltf', nothing), uri).rejects.toThrow(NotAScene)
    const picture = { asset: { version: '2.0' }, images: [{ uri }] }
    await expect(packGltf(encode(picture), 'scenes/a.gltf', nothing), uri).rejects.toThrow(NotAScene)
  }
})

test('what is no scene is told so', async () => {
  const cut = new Uint8Array([0x67, 0x6c, 0x54, 0x46, 2, 0, 0, 0, 99, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3, 4]).buffer
  const empty = new Uint8Array([0x67, 0x6c, 0x54, 0x46, 2, 0, 0, 0, 12, 0, 0, 0]).buffer
  for (const bytes of [
    encode(3),
    encode([]),
    new ArrayBuffer(0),
    cut,
    empty,
    encode({ buffers: {} }),
    encode({ buffers: [{}] }),
  ]) {
    await expect(packGltf(bytes, 'a.glb', nothing)).rejects.toThrow(NotAScene)
  }
  const lost = { buffers: [], bufferViews: [{ buffer: 3, byteLength: 1 }] }
  await expect(packGltf(encode(lost), 'a.gltf', nothing)).rejects.toThrow(NotAScene)
})
