import { createHash } from 'node:crypto'
import type { ArtifactEntry, ArtifactEntryList, ArtifactFolder, JsonObject } from '../src/api/types.ts'
import { clip, digit, glb, gltf, obj, png, spiral, stl, street, torus, wav } from './artifact-content.ts'
import { hashText, randomSource } from './random.ts'

/** A file of a made-up version: with content, or only of a size. */
export interface MockFile extends ArtifactEntry {
  content: (() => Buffer) | null
}

const MEDIA_TYPES: Record<string, string> = {
  txt: 'text/plain',
  log: 'text/plain',
  py: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  html: 'text/html',
  json: 'application/json',
  jsonl: 'application/jsonl',
  yaml: 'text/plain',
  png: 'image/png',
  svg: 'image/svg+xml',
  wav: 'audio/wav',
  webm: 'video/webm',
  obj: 'model/obj',
  stl: 'model/stl',
  gltf: 'model/gltf+json',
  glb: 'model/gltf-binary',
}

function mediaTypeOf(path: string): string {
  return MEDIA_TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}

export function stored(path: string, make: string | (() => Buffer)): MockFile {
  const content = typeof make === 'string' ? () => Buffer.from(make) : make
  const bytes = content()
  return {
    path,
    size_bytes: bytes.length,
    digest: createHash('md5').update(bytes).digest('base64'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    reference: null,
    extra: {},
    media_type: mediaTypeOf(path),
    content,
  }
}

/** A file of which only the size matters, such as weights; `salt` tells one content from another. */
export function sized(path: string, size_bytes: number, salt: string): MockFile {
  const bytes = `${path} ${salt}`
  return {
    path,
    size_bytes,
    digest: createHash('md5').update(bytes).digest('base64'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    reference: null,
    extra: {},
    media_type: mediaTypeOf(path),
    content: null,
  }
}

export function referred(path: string, reference: string, size_bytes: number | null, extra: JsonObject): MockFile {
  const digest = size_bytes === null ? reference : hashText(reference).toString(16).padStart(32, '0')
  return { path, size_bytes, digest, sha256: null, reference, extra, media_type: mediaTypeOf(path), content: null }
}

const README = `# Handwritten digits

28 × 28 grey pictures of **ten digits**, in folders by split.

| split | pictures |
| ----- | -------: |
| train | 60       |
| test  | 20       |

$$p(y \\mid x) = \\mathrm{softmax}(W x + b)$$

<script>alert('never')</script> ![a pixel](https://example.org/pixel.png) and [a link](javascript:alert(1)).
`

/** A table of pictures, with what a model said of each. */
function predictions(version: number): string {
  const random = randomSource(version)
  const data = Array.from({ length: 400 }, (_, index) => {
    const label = index % 10
    const path = `test/${label}/${Math.floor(index / 10) % 2}.png`
    const right = random() < 0.8 + version * 0.02
    return [
      index,
      { _type: 'image-file', path, width: 28, height: 28, format: 'png' },
      label,
      right ? label : (label + 1 + Math.floor(random() * 9)) % 10,
      Number((right ? 0.7 + random() * 0.3 : random() * 0.6).toFixed(4)),
      right ? null : ['too thin', 'cut off', 'looks like another one\nas people say too'][index % 3],
    ]
  })
  return JSON.stringify({ columns: ['index', 'picture', 'label', 'prediction', 'confidence', 'note'], data })
}

export function digitsFiles(version: number): MockFile[] {
  const files = [stored('README.md', `${README}\nThis is version ${version}.\n`)]
  for (const [split, each] of [
    ['train', 4 + version],
    ['test', 2],
  ] as const) {
    for (let value = 0; value < 10; value += 1) {
      for (let index = 0; index < each; index += 1) {
        // One of them was cut out anew for each version.
        const cut = value === 3 && index === 1 ? version : 0
        const seed = hashText(`${split} ${value} ${index}${cut === 0 ? '' : ` ${cut}`}`)
        files.push(stored(`${split}/${value}/${index}.png`, () => digit(value, seed)))
      }
    }
  }
  const rows = Array.from({ length: 2_000 }, (_, index) => `${index},${index % 10},"train/${index % 10}, ${index}"`)
  files.push(stored('labels.csv', `index,label,"where, and which"\n${rows.join('\n')}\n`))
  files.push(stored('classes.tsv', 'class\tname\n0\tzero\n1\tone\n2\ttwo\n'))
  files.push(stored('split.json', `{"seed":${version},"train":0.8,"test":0.2,"classes":[0,1,2,3,4,5,6,7,8,9]}`))
  files.push(stored('prepare.py', PREPARE))
  if (version > 0) files.push(stored('predictions.table.json', predictions(version)))
  return files
}

const PREPARE = `"""Cuts the scans into pictures of one digit each."""

import numpy as np


def cut(scan: np.ndarray, size: int = 28) -> list[np.ndarray]:
    # Rows of digits are apart by at least four white lines.
    rows = np.split(scan, np.flatnonzero(scan.max(axis=1) < 0.1))
    return [center(row, size) for row in rows if len(row) > 4]
`

export function modelFiles(version: number): MockFile[] {
  return [
    stored(
      'config.json',
      JSON.stringify({ architecture: 'gpt', layers: 12, heads: 12, width: 768, context: 1024, vocabulary: 50_257 }),
    ),
    sized('model.safetensors', 497_774_208 + version * 1_024, String(version)),
    sized('optimizer.pt', 995_603_212, String(version)),
    stored('tokenizer/merges.txt', '#version: 0.2\nĠ t\nĠ a\nh e\ni n\n'),
    sized('tokenizer/vocab.json', 1_042_301, 'same'),
    stored(
      'training.log',
      Array.from(
        { length: 4_000 },
        (_, step) => `step ${step} loss ${(3 / (1 + step / 400) + version / 90).toFixed(4)}`,
      ).join('\n'),
    ),
  ]
}

export function shardFiles(): MockFile[] {
  const files = Array.from({ length: 96 }, (_, index) => {
    const name = `shard-${String(index).padStart(5, '0')}.parquet`
    return referred(`en/${name}`, `s3://corpora/openwebtext/en/${name}`, 734_003_200 + index * 4_096, {
      etag: hashText(name).toString(16),
      version_id: `3HL4kqtJ${index}`,
    })
  })
  return [
    ...files,
    referred('license.html', 'https://example.org/corpora/openwebtext/license.html', 12_044, {}),
    referred('vault/keys', 'hsm://vault-3/corpora?key=7', null, {}),
    stored('index.json', '{"shards":96,"tokens":9035582198}'),
  ]
}

/** Names and contents that mean no good. */
export function hostileFiles(): MockFile[] {
  return [
    stored('<img src=x onerror=alert(1)>.txt', 'the name is the trick\n'),
    stored('page.html', '<h1>never shown as a page</h1><script>alert(1)</script>'),
    stored(
      'drawing.svg',
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><script>alert(1)</script><rect width="40" height="20" rx="4" fill="#7a5af0"/></svg>',
    ),
    stored('\u202egpj.exe', 'reversed'),
    stored('broken.table.json', '{"columns": ["a", "b"], "data": [[1, 2], "three"'),
    stored(
      'strange.table.json',
      '{"columns":["a",{"b":1}],"data":[[1],[{"_type":"image-file","path":"../../../secrets"},"<b>bold</b>",3],null]}',
    ),
    stored('broken.json', '{"a": '),
    stored('broken.glb', 'glTF\u0002\u0000\u0000\u0000'),
    stored('away.gltf', '{"asset":{"version":"2.0"},"buffers":[{"byteLength":4,"uri":"https://example.org/spy.bin"}]}'),
    stored('empty.txt', ''),
    stored(`${'deep/'.repeat(40)}bottom.txt`, 'here it is\n'),
    stored(`${'long-name-'.repeat(24)}.txt`, 'a long name\n'),
  ]
}

export function mediaFiles(): MockFile[] {
  const ring = torus()
  const [apart, buffer] = gltf(ring, 'ring.bin')
  return [
    stored('audio/chord.wav', () => wav(2, [261.6, 329.6, 392])),
    stored('video/ball.webm', clip),
    stored('pictures/colours.png', () =>
      png(640, 400, (x, y) => [Math.round(255 * x), Math.round(255 * y), Math.round(255 * (1 - x * y))]),
    ),
    stored('scenes/ring.obj', obj(ring)),
    stored('scenes/ring.stl', () => stl(ring)),
    stored('scenes/ring.glb', () => glb(ring)),
    stored('scenes/ring.gltf', gltf(ring, null)[0]),
    stored('scenes/ring-apart.gltf', apart),
    stored('scenes/ring.bin', () => buffer),
    stored('scenes/street.pts.json', street()),
    stored('scenes/spiral.pts.json', spiral()),
    stored(
      'picture.image-file.json',
      '{"_type":"image-file","path":"pictures/colours.png","width":640,"height":400,"format":"png"}',
    ),
  ]
}

/** As many files as a large data set has, in a folder for each class, and ten thousand of them in one. */
export function manyFiles(): MockFile[] {
  return Array.from({ length: 100_000 }, (_, index) => {
    const folder = index < 10_000 ? 'unlabelled' : `train/n${String(1_440_764 + (index % 500) * 17).padStart(8, '0')}`
    const path = `${folder}/${String(index).padStart(6, '0')}.jpeg`
    return {
      path,
      size_bytes: 60_000 + (hashText(path) % 90_000),
      digest: 'sNqmzRmVUkKDgfL4Q4sHrw==',
      sha256: hashText(path).toString(16).padStart(64, '0'),
      reference: null,
      extra: {},
      media_type: 'image/jpeg',
      content: null,
    }
  })
}

export interface EntriesRequest {
  folder: string
  recursive: boolean
  search: string
  cursor: number
  limit: number
}

const byBytes = (a: { path: string }, b: { path: string }) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))

/** A folder, or all that is below it, as the server answers it. */
export function listEntries(files: readonly MockFile[], request: EntriesRequest): ArtifactEntryList {
  const prefix = request.folder === '' ? '' : `${request.folder}/`
  const folders = new Map<string, ArtifactFolder>()
  const found: MockFile[] = []
  for (const file of files) {
    if (!file.path.startsWith(prefix) || !file.path.toLowerCase().includes(request.search.toLowerCase())) continue
    const slash = file.path.indexOf('/', prefix.length)
    if (request.recursive || slash < 0) {
      found.push(file)
      continue
    }
    const path = file.path.slice(0, slash)
    const folder = folders.get(path) ?? { path, file_count: 0, size_bytes: 0 }
    folder.file_count += 1
    folder.size_bytes += file.size_bytes ?? 0
    folders.set(path, folder)
  }
  const end = request.cursor + request.limit
  return {
    folders: request.cursor === 0 ? [...folders.values()].sort(byBytes) : [],
    entries: found.sort(byBytes).slice(request.cursor, end).map(entryOf),
    next_cursor: end < found.length ? String(end) : null,
  }
}

export function entryOf({ content: _, ...entry }: MockFile): ArtifactEntry {
  return entry
}

/** The digest of a manifest, as the field makes it. */
export function digestOf(files: readonly MockFile[]): string {
  const lines = [...files].sort(byBytes).map(({ path, digest }) => `${path}:${digest}\n`)
  return createHash('md5')
    .update(`wandb-artifact-manifest-v1\n${lines.join('')}`)
    .digest('hex')
}
