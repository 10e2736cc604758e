import { readFileSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'
import { randomSource } from './random.ts'

type Pixel = readonly [red: number, green: number, blue: number]

/** A picture whose pixels are made by a function of their place, each of which goes from 0 to 1. */
export function png(width: number, height: number, pixel: (x: number, y: number) => Pixel): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3))
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows.set(pixel(x / width, y / height), y * (1 + width * 3) + 1 + x * 3)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows)),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

function pngChunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(data.length, 0)
  head.write(name, 4, 'latin1')
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])))
  return Buffer.concat([head, data, sum])
}

/** A digit as a data set of digits has it: bright strokes of a seven-segment display, a little blurred. */
export function digit(value: number, seed: number): Buffer {
  const random = randomSource(seed)
  const lean = random() * 0.3 - 0.15
  const lit = SEGMENTS[value % 10]
  return png(28, 28, (x, y) => {
    const nearest = Math.min(...lit.map(([a, b, c, d]) => distance(x + lean * (y - 0.5), y, a, b, c, d)))
    const light = Math.round(255 * Math.max(0, Math.min(1, 1.6 - nearest * 18)))
    return [light, light, light]
  })
}

type Segment = readonly [x1: number, y1: number, x2: number, y2: number]
const [L, R, T, M, B] = [0.3, 0.7, 0.2, 0.5, 0.8]
const STROKES: readonly Segment[] = [
  [L, T, R, T],
  [R, T, R, M],
  [R, M, R, B],
  [L, B, R, B],
  [L, M, L, B],
  [L, T, L, M],
  [L, M, R, M],
]
const SEGMENTS = ['012345', '12', '01346', '01236', '1256', '02356', '023456', '012', '0123456', '012356'].map((lit) =>
  [...lit].map((index) => STROKES[Number(index)]),
)

function distance(x: number, y: number, x1: number, y1: number, x2: number, y2: number): number {
  const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)
  const at = Math.max(0, Math.min(1, along))
  return Math.hypot(x - x1 - at * (x2 - x1), y - y1 - at * (y2 - y1))
}

/** A chord that fades, 8,000 samples a second. */
export function wav(seconds: number, tones: readonly number[]): Buffer {
  const count = Math.floor(seconds * 8_000)
  const data = Buffer.alloc(44 + count * 2)
  data.write('RIFF', 0, 'latin1')
  data.writeUInt32LE(36 + count * 2, 4)
  data.write('WAVEfmt ', 8, 'latin1')
  data.writeUInt32LE(16, 16)
  data.writeUInt16LE(1, 20)
  data.writeUInt16LE(1, 22)
  data.writeUInt32LE(8_000, 24)
  data.writeUInt32LE(16_000, 28)
  data.writeUInt16LE(2, 32)
  data.writeUInt16LE(16, 34)
  data.write('data', 36, 'latin1')
  data.writeUInt32LE(count * 2, 40)
  for (let index = 0; index < count; index += 1) {
    const time = index / 8_000
    const sound = tones.reduce((sum, tone) => sum + Math.sin(2 * Math.PI * tone * time), 0) / tones.length
    data.writeInt16LE(Math.round(sound * 12_000 * Math.exp(-2 * time)), 44 + index * 2)
  }
  return data
}

/** A ball that bounces, three seconds. */
export function clip(): Buffer {
  return readFileSync(new URL('./clip.webm', import.meta.url))
}

interface Mesh {
  points: readonly (readonly [number, number, number])[]
  faces: readonly (readonly [number, number, number])[]
}

/** A ring with a twist. */
export function torus(around = 48, across = 18): Mesh {
  const points: [number, number, number][] = []
  const faces: [number, number, number][] = []
  for (let i = 0; i < around; i += 1) {
    const a = (i / around) * 2 * Math.PI
    for (let j = 0; j < across; j += 1) {
      const b = (j / across) * 2 * Math.PI + 2 * a
      const radius = 2 + 0.7 * (1 + 0.35 * Math.cos(3 * b)) * Math.cos(b)
      points.push([radius * Math.cos(a), radius * Math.sin(a), 0.7 * Math.sin(b)])
      const [right, up] = [((i + 1) % around) * across, (j + 1) % across]
      faces.push([i * across + j, right + j, right + up], [i * across + j, right + up, i * across + up])
    }
  }
  return { points, faces }
}

export function obj({ points, faces }: Mesh): string {
  const lines = ['# made up', ...points.map((point) => `v ${point.map((value) => value.toFixed(4)).join(' ')}`)]
  return [...lines, ...faces.map((face) => `f ${face.map((index) => index + 1).join(' ')}`), ''].join('\n')
}

export function stl({ points, faces }: Mesh): Buffer {
  const data = Buffer.alloc(84 + faces.length * 50)
  data.writeUInt32LE(faces.length, 80)
  faces.forEach((face, index) => {
    face.forEach((corner, place) => {
      points[corner].forEach((value, axis) => {
        data.writeFloatLE(value, 84 + index * 50 + 12 + place * 12 + axis * 4)
      })
    })
  })
  return data
}

/** The parts of a glTF file: what it says, and its one buffer. */
function gltfParts({ points, faces }: Mesh): { json: Record<string, unknown>; buffer: Buffer } {
  const positions = Buffer.alloc(points.length * 12)
  points.forEach((point, index) => {
    point.forEach((value, axis) => {
      positions.writeFloatLE(value, index * 12 + axis * 4)
    })
  })
  const indices = Buffer.alloc(faces.length * 6)
  faces.flat().forEach((corner, index) => {
    indices.writeUInt16LE(corner, index * 2)
  })
  const bound = (pick: (...values: number[]) => number) => [0, 1, 2].map((axis) => pick(...points.map((p) => p[axis])))
  const json = {
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    materials: [{ pbrMetallicRoughness: { baseColorFactor: [0.3, 0.35, 0.9, 1], metallicFactor: 0.2 } }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, material: 0 }] }],
    accessors: [
      {
        bufferView: 0,
        componentType: 5126,
        count: points.length,
        type: 'VEC3',
        min: bound(Math.min),
        max: bound(Math.max),
      },
      { bufferView: 1, componentType: 5123, count: faces.length * 3, type: 'SCALAR' },
    ],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: positions.length },
      { buffer: 0, byteOffset: positions.length, byteLength: indices.length },
    ],
  }
  return { json, buffer: Buffer.concat([positions, indices]) }
}

/** glTF whose buffer is in the file, or in one beside it. */
export function gltf(mesh: Mesh, bufferFile: string | null): [text: string, buffer: Buffer] {
  const { json, buffer } = gltfParts(mesh)
  const uri = bufferFile ?? `data:application/octet-stream;base64,${buffer.toString('base64')}`
  return [JSON.stringify({ ...json, buffers: [{ byteLength: buffer.length, uri }] }), buffer]
}

export function glb(mesh: Mesh): Buffer {
  const { json, buffer } = gltfParts(mesh)
  const text = Buffer.from(JSON.stringify({ ...json, buffers: [{ byteLength: buffer.length }] }))
  const chunk = (type: number, data: Buffer, fill: number) => {
    const padded = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4, fill)])
    const head = Buffer.alloc(8)
    head.writeUInt32LE(padded.length, 0)
    head.writeUInt32LE(type, 4)
    return Buffer.concat([head, padded])
  }
  const chunks = [chunk(0x4e4f534a, text, 0x20), chunk(0x004e4942, buffer, 0)]
  const head = Buffer.alloc(12)
  head.write('glTF', 0, 'latin1')
  head.writeUInt32LE(2, 4)
  head.writeUInt32LE(12 + chunks[0].length + chunks[1].length, 8)
  return Buffer.concat([head, ...chunks])
}

/** A street with two cars, as a laser on a roof sees it: points with colours, and boxes with labels. */
export function street(): string {
  const random = randomSource(11)
  const points: number[][] = []
  const boxes: { corners: number[][]; label: string; color: number[] }[] = []
  for (let index = 0; index < 9_000; index += 1) {
    const angle = random() * 2 * Math.PI
    const radius = 2 + 22 * random() ** 2
    points.push([radius * Math.cos(angle), radius * Math.sin(angle), random() * 0.08, 90, 96, 110])
  }
  for (const [x, y, label, color] of [
    [7, 3, 'car', [235, 120, 60]],
    [-6, -8, 'truck', [80, 150, 240]],
  ] as const) {
    const [width, depth, height] = label === 'car' ? [4.2, 1.9, 1.5] : [7, 2.4, 3]
    for (let index = 0; index < 1_500; index += 1) {
      const side = Math.floor(random() * 3)
      const at = [random() - 0.5, random() - 0.5, random()]
      at[side] = side === 2 ? 1 : Math.round(random()) - 0.5
      points.push([x + at[0] * width, y + at[1] * depth, at[2] * height, ...color])
    }
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [
      x + ((bits & 1) - 0.5) * width,
      y + (((bits >> 1) & 1) - 0.5) * depth,
      (bits >> 2) * height,
    ])
    boxes.push({ corners, label, color: [...color] })
  }
  return JSON.stringify({ type: 'lidar/beta', points, boxes, vectors: [] })
}

/** A spiral of points with a category each. */
export function spiral(): string {
  const random = randomSource(5)
  const points = Array.from({ length: 6_000 }, (_, index) => {
    const arm = index % 3
    const radius = Math.sqrt(random()) * 5
    const angle = radius * 1.1 + (arm * 2 * Math.PI) / 3 + (random() - 0.5) * 0.6
    return [radius * Math.cos(angle), radius * Math.sin(angle), (random() - 0.5) * (1.2 - radius / 6), arm + 1]
  })
  return JSON.stringify(points.map((point) => point.map((value) => Number(value.toFixed(3)))))
}
