import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connect, Plugin } from 'vite'
import type {
  AlertsRequest,
  ApiKey,
  ArtifactsEvent,
  ConsoleRequest,
  CreateAlertChannelRequest,
  ErrorKind,
  RunChange,
  RunsRequest,
  SeriesRequest,
  Session,
  UpdateAlertChannelRequest,
  UpdateRunRequest,
  User,
} from '../src/api/types.ts'
import { MockAlerts } from './alerts.ts'
import { answerArtifacts } from './artifact-routes.ts'
import { ArtifactError, MockArtifacts } from './artifacts.ts'
import { consoleLength, queryConsole } from './console.ts'
import { ENTITY, HISTOGRAM_KEYS, MockData, type MockRun } from './data.ts'
import { contentOf, filesOf } from './files.ts'
import { FilterError } from './filter.ts'
import { histogramAt } from './histograms.ts'
import { listKeys, listProjects, queryRuns } from './runs.ts'
import { seriesAnswer } from './series.ts'

const TICK_MILLIS = 500
const ROWS_OF_TICK = 4
/** The demo's live run tells people something every so many ticks. */
const TICKS_OF_ALERT = 30

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly kind: ErrorKind,
    message: string,
  ) {
    super(message)
  }
}

/** The HTTP API over made-up runs, for working on the UI without a server: `npm run dev:mock`. */
export function mockApi(): Plugin {
  const server = new MockServer()
  return {
    name: 'mock-api',
    configureServer: ({ middlewares }) => void middlewares.use('/api/v1', server.handle),
    configurePreviewServer: ({ middlewares }) => void middlewares.use('/api/v1', server.handle),
  }
}

const seconds = () => Date.now() / 1000

class MockServer {
  private data = new MockData(seconds())
  private alerts = new MockAlerts(this.data)
  private artifacts = new MockArtifacts(this.data, seconds())
  private ticks = 0
  private watchers = new Set<ServerResponse>()
  private timer: ReturnType<typeof setInterval> | undefined
  private user: User = { name: ENTITY, admin: true, created_at: seconds() - 9e6 }
  private users: User[] = [this.user, { name: 'grace', admin: false, created_at: seconds() - 4e6 }]
  private apiKeys: ApiKey[] = [
    { id: '8f2c11aa', label: 'cluster', created_at: seconds() - 3e6, last_used_at: seconds() - 90 },
  ]

  handle: Connect.NextHandleFunction = async (request, response) => {
    try {
      await this.route(request, response)
    } catch (error) {
      const refused =
        error instanceof Refused || error instanceof ArtifactError
          ? error
          : error instanceof FilterError
            ? new Refused(400, 'invalid', error.message)
            : new Refused(500, 'internal', String(error))
      this.json(response, { error: { kind: refused.kind, message: refused.message } }, refused.status)
    }
  }

  private json(response: ServerResponse, body: unknown, status = 200): void {
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body))
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://mock')
    const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
    const body = request.method === 'GET' ? undefined : await readJson(request)
    const call = `${request.method} ${parts[0]}${parts.length === 2 && parts[1] === 'query' ? '/query' : ''}`
    if (parts[0] === 'artifacts') {
      if (answerArtifacts(this.artifacts, request, response, url, parts, body)) this.pushArtifacts(parts[2], parts[3])
      return
    }
    if (parts[0] === 'runs' && parts.length >= 4)
      return this.run(request, response, url, parts, body as UpdateRunRequest)
    if (call === 'GET session' || call === 'POST session') return this.json(response, this.session())
    if (call === 'GET projects') return this.json(response, { projects: listProjects(this.data) })
    if (call === 'POST runs/query') return this.json(response, queryRuns(this.data, body as RunsRequest))
    if (call === 'POST alerts/query') return this.json(response, this.alerts.query(body as AlertsRequest))
    if (call === 'POST console/query') return this.console(body as ConsoleRequest, response)
    if (call === 'POST keys/query') {
      const { project, runs } = body as { project: string; runs: string[] | null }
      return this.json(response, listKeys(this.data, project, runs))
    }
    if (call === 'POST series') {
      response.writeHead(200, { 'Content-Type': 'application/vnd.apache.arrow.stream' })
      response.end(seriesAnswer(this.data, body as SeriesRequest))
      return
    }
    if (call === 'GET events') return this.watch(request, response)
    if (parts[0] === 'alert-channels') return this.channelCall(request.method, parts, body, response)
    if (parts[0] === 'alert-deliveries') return this.found(response, this.alerts.sendAgain(Number(parts[2])))
    if (parts[0] === 'users') return this.userCall(request.method, parts[1], body as User, response)
    if (parts[0] === 'api-keys') return this.apiKeyCall(request.method, parts[1], body as ApiKey, response)
    throw new Refused(404, 'not_found', `there is no ${request.method} ${url.pathname}`)
  }

  private session(): Session {
    return {
      version: '0.1.0',
      source: 'store',
      folder: null,
      login_required: false,
      user: this.user,
      default_entity: ENTITY,
    }
  }

  private run(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    parts: string[],
    body: UpdateRunRequest,
  ): void {
    const [, , project, id, tail] = parts
    const mock = this.data.find(project, id)
    if (mock === undefined) throw new Refused(404, 'not_found', `there is no run ${parts.slice(1, 4).join('/')}`)
    if (tail === 'history') {
      this.history(response, url, mock)
      return
    }
    if (tail === 'console') {
      const all = { stream: null, output: null, search: null, regex: false, case_sensitive: false, from: null }
      const { lines } = queryConsole(mock, { run: '', ...all, limit: 10_000 })
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end(lines.map(({ text }) => text).join('\n'))
      return
    }
    if (tail === 'files') {
      const file = parts.slice(5).join('/')
      const content = contentOf(file)
      if (file === '') this.json(response, { files: filesOf(mock), next_cursor: null })
      else if (content === undefined) throw new Refused(404, 'not_found', `the run has no file ${file}`)
      else response.writeHead(200, { 'Content-Type': content[0] }).end(content[1])
      return
    }
    if (tail === 'artifacts') {
      this.json(response, this.artifacts.ofRun(project, id))
      return
    }
    if (request.method === 'DELETE') {
      this.data.runs.set(project, this.data.runs.get(project)?.filter((each) => each !== mock) ?? [])
      this.push([{ ...changeOf(mock), details: true, deleted: true }])
      response.writeHead(204).end()
      return
    }
    if (request.method === 'PATCH') {
      const { stop: _, ...fields } = body
      mock.run = { ...mock.run, ...fields }
      this.push([{ ...changeOf(mock), details: true }])
    }
    this.json(response, {
      ...this.data.detail(mock),
      alert_count: this.alerts.count(project, id),
      console_line_count: consoleLength(mock),
    })
  }

  private console(request: ConsoleRequest, response: ServerResponse): void {
    const [, project, id] = request.run.split('/')
    const mock = this.data.find(project, id)
    if (mock === undefined) throw new Refused(404, 'not_found', `there is no run ${request.run}`)
    try {
      this.json(response, queryConsole(mock, request))
    } catch (error) {
      throw new Refused(400, 'invalid', String(error))
    }
  }

  private history(response: ServerResponse, url: URL, mock: MockRun): void {
    const keys = (JSON.parse(url.searchParams.get('keys') ?? 'null') as string[] | null) ?? mock.keys.slice(0, 20)
    const from = Number(url.searchParams.get('from_step') ?? 0)
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
    if (keys.length === 1 && HISTOGRAM_KEYS.includes(keys[0])) {
      const to = Math.min(mock.length, Number(url.searchParams.get('to_step') ?? mock.length))
      const samples = Number(url.searchParams.get('samples') ?? url.searchParams.get('limit') ?? 100)
      const every = Math.max(1, Math.ceil((to - from) / samples))
      for (let step = from; step < to; step += every) {
        response.write(`${JSON.stringify({ _step: step, [keys[0]]: histogramAt(keys[0], step) })}\n`)
      }
      response.end()
      return
    }
    const curves = keys
      .filter((key) => mock.keys.includes(key))
      .map((key) => [key, this.data.curve(mock, key)] as const)
    for (let step = from; step < mock.length; step += 1) {
      const row: Record<string, unknown> = { _step: step, _time: this.data.timeOf(mock, step) }
      for (const [key, { steps, values }] of curves) {
        const every = steps[1] ?? 1
        if (step % every === 0 && step / every < values.length) {
          const value = values[step / every]
          row[key] = Number.isFinite(value) ? value : String(value)
        }
      }
      response.write(`${JSON.stringify(row)}\n`)
    }
    response.end()
  }

  private watch(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
    response.write(': hello\n\n')
    this.watchers.add(response)
    this.timer ??= setInterval(() => this.tick(), TICK_MILLIS)
    request.on('close', () => {
      this.watchers.delete(response)
      if (this.watchers.size > 0) return
      clearInterval(this.timer)
      this.timer = undefined
    })
  }

  private tick(): void {
    const grown = [...this.data.runs.keys()].flatMap((project) => this.data.grow(project, ROWS_OF_TICK, seconds()))
    this.ticks += 1
    const told = this.ticks % TICKS_OF_ALERT === 0 ? grown.find(({ run }) => run.project === 'demo') : undefined
    if (told !== undefined) this.alerts.add('demo', told, this.ticks / TICKS_OF_ALERT, seconds())
    this.push(
      grown.map((mock) => ({ ...changeOf(mock), rows: true, console: true, system: true, alerts: mock === told })),
    )
  }

  private push(runs: RunChange[]): void {
    for (const watcher of this.watchers) watcher.write(`event: runs\ndata: ${JSON.stringify({ runs })}\n\n`)
  }

  private pushArtifacts(project: string, collection: string): void {
    const event: ArtifactsEvent = { collections: [{ entity: ENTITY, project, collection, deleted: false }] }
    for (const watcher of this.watchers) watcher.write(`event: artifacts\ndata: ${JSON.stringify(event)}\n\n`)
  }

  private found(response: ServerResponse, thing: unknown): void {
    if (thing === undefined) throw new Refused(404, 'not_found', 'there is no such thing')
    this.json(response, thing)
  }

  private channelCall(
    method: string | undefined,
    [, entity, id, test]: string[],
    body: unknown,
    response: ServerResponse,
  ): void {
    if (method === 'DELETE') {
      this.alerts.removeChannel(Number(id))
      response.writeHead(204).end()
    } else if (method === 'GET') {
      this.json(response, this.alerts.channelList())
    } else if (test === 'test') {
      this.json(response, this.alerts.test(Number(id)))
    } else if ((body as { target?: string }).target?.includes('localhost')) {
      throw new Refused(400, 'invalid', "localhost is in this server's own network, where webhooks are not sent")
    } else if (method === 'POST') {
      this.json(response, this.alerts.addChannel(entity, body as CreateAlertChannelRequest))
    } else {
      this.found(response, this.alerts.changeChannel(Number(id), body as UpdateAlertChannelRequest))
    }
  }

  private userCall(method: string | undefined, name: string | undefined, body: User, response: ServerResponse): void {
    if (method === 'DELETE') {
      this.users = this.users.filter((user) => user.name !== name)
      response.writeHead(204).end()
    } else if (method === 'POST') {
      if (this.users.some((user) => user.name === body.name))
        throw new Refused(409, 'conflict', `there is a user ${body.name} already`)
      const user = { name: body.name, admin: body.admin, created_at: seconds() }
      this.users.push(user)
      this.json(response, user)
    } else {
      this.json(response, { users: this.users })
    }
  }

  private apiKeyCall(method: string | undefined, id: string | undefined, body: ApiKey, response: ServerResponse): void {
    if (method === 'DELETE') {
      this.apiKeys = this.apiKeys.filter((key) => key.id !== id)
      response.writeHead(204).end()
    } else if (method === 'POST') {
      const key = {
        id: Math.random().toString(16).slice(2, 10),
        label: body.label,
        created_at: seconds(),
        last_used_at: null,
      }
      this.apiKeys.unshift(key)
      this.json(response, { api_key: key, secret: `steplog-${key.id}${'0123456789abcdef'.repeat(2)}` })
    } else {
      this.json(response, { api_keys: this.apiKeys })
    }
  }
}

function changeOf({ run }: MockRun): RunChange {
  return {
    path: `${run.entity}/${run.project}/${run.id}`,
    state: run.state,
    last_step: run.last_step,
    updated_at: run.updated_at,
    rows: false,
    keys: false,
    alerts: false,
    files: false,
    console: false,
    system: false,
    details: false,
    deleted: false,
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return text === '' ? undefined : JSON.parse(text)
}
