import type { ErrorBody, ErrorKind, JsonObject } from '~/api/types'
import { connection } from '~/lib/connection'

/** What the server refused, or that it could not be reached. */
export class ApiError extends Error {
  override name = 'ApiError'
  constructor(
    readonly kind: ErrorKind | 'unreachable',
    message: string,
    readonly hint: string | null,
    readonly status: number,
  ) {
    super(message)
  }
}

async function toError(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as ErrorBody
    return new ApiError(error.kind, error.message, error.hint ?? null, response.status)
  } catch {
    // A proxy in front of the server answers 502 to 504 in its own words when the server is down.
    const kind = response.status >= 502 && response.status <= 504 ? 'unreachable' : 'internal'
    return new ApiError(
      kind,
      `the server answered ${response.status} ${response.statusText}`.trim(),
      null,
      response.status,
    )
  }
}

export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { credentials: 'same-origin', ...options })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    connection.lost()
    throw new ApiError('unreachable', 'the server cannot be reached', null, 0)
  }
  if (response.ok) {
    connection.restored()
    return response
  }
  const error = await toError(response)
  if (error.kind === 'unreachable') connection.lost()
  else connection.restored()
  throw error
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, { signal })).json() as Promise<T>
}

/** JSON lines, a row each. */
export async function getRows(path: string, signal?: AbortSignal): Promise<JsonObject[]> {
  const text = await (await request(path, { signal })).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonObject)
}

export async function sendJson<T>(
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await request(path, {
    method,
    signal,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  return (response.status === 204 ? undefined : response.json()) as Promise<T>
}

export async function sendForBytes(path: string, body: unknown, signal?: AbortSignal): Promise<Uint8Array> {
  const response = await request(path, {
    method: 'POST',
    signal,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  return new Uint8Array(await response.arrayBuffer())
}
