import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LinkArtifactRequest, UpdateArtifactRequest, UpdateCollectionRequest } from '../src/api/types.ts'
import { diffOf } from './artifact-diff.ts'
import { listEntries } from './artifact-files.ts'
import { ArtifactError, type MockArtifacts, type MockCollection } from './artifacts.ts'
import { ENTITY } from './data.ts'

const DEFAULT_PAGE = 100

/** What a call answers: JSON, or nothing for `null`. */
type Answer = { json: unknown; changed?: boolean } | { bytes: Buffer; mediaType: string }

/** Answers a call below `/artifacts`; tells whether it changed something. */
export function answerArtifacts(
  artifacts: MockArtifacts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  parts: string[],
  body: unknown,
): boolean {
  const [, entity, project, name, noun, version, ...tail] = parts
  if (entity !== ENTITY) throw new ArtifactError(404, 'not_found', `there is no entity ${entity}`)
  const answer =
    name === undefined
      ? { json: listCollections(artifacts, project ?? null, url.searchParams) }
      : noun === undefined
        ? answerCollection(artifacts, artifacts.find(project, name), request.method, body)
        : noun === 'links'
          ? { json: artifacts.linkInto(project, name, body as LinkArtifactRequest), changed: true }
          : version === undefined
            ? { json: listVersions(artifacts, artifacts.find(project, name), url.searchParams) }
            : answerVersion(artifacts, artifacts.find(project, name), version, tail, request.method, url, body)
  if ('bytes' in answer) sendBytes(request, response, answer.bytes, answer.mediaType)
  else if (answer.json === null) response.writeHead(204).end()
  else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer.json))
  return 'changed' in answer && answer.changed === true
}

function listCollections(artifacts: MockArtifacts, project: string | null, params: URLSearchParams) {
  const search = params.get('search') ?? ''
  // A sentinel: what the page does when a search fails.
  if (search === 'fail') throw new ArtifactError(503, 'unavailable', 'the server is busy: try again in a moment')
  return artifacts.list(project, params.get('kind'), params.get('type'), search)
}

function listVersions(artifacts: MockArtifacts, collection: MockCollection, params: URLSearchParams) {
  const numbers = [...collection.members.keys()].sort((a, b) => b - a)
  const [start, limit] = pageOf(params)
  const next = start + limit
  return {
    artifacts: numbers.slice(start, next).map((number) => artifacts.artifact(collection, number)),
    next_cursor: next < numbers.length ? String(next) : null,
  }
}

function pageOf(params: URLSearchParams): [start: number, limit: number] {
  return [Number(params.get('cursor') ?? 0), Number(params.get('limit') ?? DEFAULT_PAGE)]
}

function answerCollection(
  artifacts: MockArtifacts,
  collection: MockCollection,
  method: string | undefined,
  body: unknown,
): Answer {
  if (method === 'DELETE') {
    artifacts.removeCollection(collection)
    return { json: null, changed: true }
  }
  if (method === 'PATCH') return { json: artifacts.change(collection, body as UpdateCollectionRequest), changed: true }
  return { json: artifacts.describe(collection) }
}

function answerVersion(
  artifacts: MockArtifacts,
  collection: MockCollection,
  version: string,
  [noun, ...path]: string[],
  method: string | undefined,
  url: URL,
  body: unknown,
): Answer {
  const number = artifacts.numberOf(collection, version)
  const params = url.searchParams
  if (method === 'DELETE') {
    artifacts.remove(collection, number, params.get('delete_aliases') === 'true')
    return { json: null, changed: true }
  }
  if (method === 'PATCH') {
    return { json: artifacts.update(collection, number, body as UpdateArtifactRequest), changed: true }
  }
  const mock = collection.members.get(number)
  const files = mock?.files() ?? []
  const [start, limit] = pageOf(params)
  switch (noun) {
    case undefined:
      return { json: artifacts.artifact(collection, number) }
    case 'entries':
      return {
        json: listEntries(files, {
          folder: params.get('folder') ?? '',
          recursive: params.get('recursive') === 'true',
          search: params.get('search') ?? '',
          cursor: start,
          limit,
        }),
      }
    case 'runs': {
      const runs = mock?.users ?? []
      const next = start + limit
      return { json: { runs: runs.slice(start, next), next_cursor: next < runs.length ? String(next) : null } }
    }
    case 'lineage':
      return { json: artifacts.lineage(collection, number, Number(params.get('limit') ?? 1_000)) }
    case 'diff': {
      const other = artifacts.numberOf(collection, params.get('from') ?? '')
      const side = (each: number): Parameters<typeof diffOf>[0] => [
        artifacts.artifact(collection, each),
        collection.members.get(each)?.files() ?? [],
      ]
      return { json: diffOf(side(other), side(number), [start, limit]) }
    }
    case 'files': {
      const file = files.find((each) => each.path === path.join('/'))
      if (file === undefined) throw new ArtifactError(404, 'not_found', `the version has no file ${path.join('/')}`)
      if (file.reference !== null) {
        throw new ArtifactError(409, 'conflict', `${file.path} is a reference: its bytes are at ${file.reference}`)
      }
      // A sentinel: bytes that are no longer what they were.
      if (file.path === 'optimizer.pt') {
        throw new ArtifactError(410, 'data', `${file.path} is damaged: log the version again to mend it`)
      }
      return { bytes: file.content?.() ?? Buffer.from('x'.repeat(1_000)), mediaType: file.media_type }
    }
    case 'verify':
      return {
        json: {
          good_count: files.filter(({ path: each, reference }) => reference === null && each !== 'optimizer.pt').length,
          damaged: files.filter(({ path: each }) => each === 'optimizer.pt').map(({ path: each }) => each),
          reference_count: files.filter(({ reference }) => reference !== null).length,
        },
      }
  }
  throw new ArtifactError(404, 'not_found', `there is no ${method} ${url.pathname}`)
}

/** Whole or in part: players of sound and films ask for ranges. */
function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Buffer, mediaType: string): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const headers = { 'Content-Type': mediaType, 'Accept-Ranges': 'bytes' }
  if (range === null) {
    response.writeHead(200, { ...headers, 'Content-Length': bytes.length }).end(bytes)
    return
  }
  const start = Number(range[1])
  const end = Math.min(bytes.length, range[2] === '' ? bytes.length : Number(range[2]) + 1)
  response.writeHead(206, {
    ...headers,
    'Content-Length': end - start,
    'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}`,
  })
  response.end(bytes.subarray(start, end))
}
