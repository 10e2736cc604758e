import type { InfiniteData, QueryClient } from '@tanstack/react-query'
import { getJson } from '~/api/client'
import { CHANGE_OF_ARTIFACTS, keyOf } from '~/api/queries'
import type { ArtifactsEvent, RunDetail, RunList, RunsEvent } from '~/api/types'
import {
  addArtifactsEvent,
  addEvent,
  addResync,
  NOTHING_PENDING,
  outdated,
  type Pending,
} from '~/features/live/live-reducer'
import { patchDetail, patchRunsData } from '~/features/live/patch-runs'
import { isOutdated } from '~/features/logs/console-queries'
import { connection } from '~/lib/connection'
import { isSystemKey } from '~/lib/key-label'
import { api, entityOfPath, runIdOfPath } from '~/lib/path-builder'

/** Charts and lists are read again at most this often. */
const CATCH_UP_MILLIS = 450
/** Lists cost more than charts and change less. */
const LIST_MILLIS = 1_500
/** After so many samples of a machine no other keys are expected. */
const NEW_SAMPLES = 3
const RECONNECT_MILLIS = 2_000
/** Browsers allow six connections to a server: a tab that nobody has looked at for so long gives its own back. */
const HIDDEN_MILLIS = 20_000
/** Requests under way are let finish: cancelling them at this pace would let none ever arrive. */
const LET_FINISH = { cancelRefetch: false }

/** Runs by what they have more of. */
interface Waiting {
  rows: ReadonlySet<string>
  system: ReadonlySet<string>
  console: ReadonlySet<string>
}

/** Listens to what the server pushes for one project (or all of them) and keeps the query cache true. */
export class LiveSession {
  private source: EventSource | null = null
  private pending: Pending = NOTHING_PENDING
  private timer: ReturnType<typeof setTimeout> | undefined
  private reconnectTimer: ReturnType<typeof setTimeout> | undefined
  /** What came while what is to be read again was still being read. */
  private waiting: Waiting = { rows: new Set(), system: new Set(), console: new Set() }
  /** How many samples of its machine were heard of each run. */
  private samples = new Map<string, number>()
  private opened = false
  private caughtUpAt = 0
  private listsAt = 0
  private listTimer: ReturnType<typeof setTimeout> | undefined
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly queries: QueryClient,
    private readonly project: string | null,
  ) {
    document.addEventListener('visibilitychange', this.followVisibility)
    if (!document.hidden) this.connect()
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.followVisibility)
    this.disconnect()
    clearTimeout(this.timer)
    clearTimeout(this.listTimer)
    clearTimeout(this.hiddenTimer)
  }

  private followVisibility = (): void => {
    clearTimeout(this.hiddenTimer)
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => this.disconnect(), HIDDEN_MILLIS)
    } else if (this.source === null) {
      // What came while nobody looked is read when the stream opens.
      this.opened = true
      this.connect()
    }
  }

  private disconnect(): void {
    clearTimeout(this.reconnectTimer)
    this.source?.close()
    this.source = null
  }

  private connect(): void {
    const source = new EventSource(api.events(this.project))
    this.source = source
    source.addEventListener('open', () => {
      // Whatever happened while nobody listened was missed.
      if (this.opened) this.resync()
      else this.readEarlyAnswersAgain()
      this.opened = true
      connection.restored()
    })
    source.addEventListener('runs', (event) => {
      this.pending = addEvent(this.pending, JSON.parse(event.data) as RunsEvent)
      this.schedule()
    })
    source.addEventListener('artifacts', (event) => {
      this.pending = addArtifactsEvent(this.pending, JSON.parse(event.data) as ArtifactsEvent)
      this.schedule()
    })
    source.addEventListener('resync', () => this.resync())
    source.addEventListener('error', () => {
      // A stream also ends where proxies cut long answers: only a plain request tells whether the server is gone.
      void getJson(api.session()).catch(() => undefined)
      if (source.readyState !== EventSource.CLOSED) return
      // An HTTP error ends an EventSource for good: begin anew.
      this.opened = true
      this.reconnectTimer = setTimeout(() => this.connect(), RECONNECT_MILLIS)
    })
  }

  /** The first answers of a page may be older than its stream: what changed in between, nobody told. */
  private readEarlyAnswersAgain(): void {
    void this.queries.invalidateQueries({ predicate: ({ state }) => state.dataUpdatedAt > 0 }, LET_FINISH)
  }

  private resync(): void {
    this.pending = addResync(this.pending)
    this.schedule()
  }

  private schedule(): void {
    if (this.timer !== undefined) return
    const wait = Math.max(0, this.caughtUpAt + CATCH_UP_MILLIS - Date.now())
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.catchUp()
    }, wait)
  }

  private catchUp(): void {
    this.caughtUpAt = Date.now()
    const pending = this.pending
    this.pending = NOTHING_PENDING
    if (pending.resync) {
      void this.queries.invalidateQueries()
      return
    }
    this.readArtifactsAgain(pending.artifacts)
    if (this.project === null) {
      void this.queries.invalidateQueries({ queryKey: ['projects'] }, LET_FINISH)
      return
    }
    this.patch(this.project, pending)
    this.invalidate(this.project, pending)
  }

  /** Changes of artifacts are seldom, and worth more than any answer under way: that one may not have the newest. */
  private readArtifactsAgain(projects: ReadonlySet<string>): void {
    if (projects.size === 0) return
    // The event of a deletion comes before its answer: what is shown until then is not to be asked for any more.
    if (this.queries.isMutating({ mutationKey: CHANGE_OF_ARTIFACTS }) > 0) {
      this.pending = { ...this.pending, artifacts: new Set([...this.pending.artifacts, ...projects]) }
      this.schedule()
      return
    }
    for (const project of projects) void this.queries.invalidateQueries({ queryKey: keyOf.artifacts(project) })
    for (const entity of new Set([...projects].map(entityOfPath))) {
      void this.queries.invalidateQueries({ queryKey: keyOf.artifactsOf(entity) })
    }
  }

  private patch(project: string, { changes }: Pending): void {
    this.queries.setQueriesData<RunList | InfiniteData<RunList>>({ queryKey: keyOf.runs(project) }, (data) =>
      patchRunsData(data, changes),
    )
    this.queries.setQueriesData<RunDetail>({ queryKey: keyOf.run(project) }, (data) => patchDetail(data, changes))
  }

  private invalidate(project: string, pending: Pending): void {
    const { rows, system, console, keys, files, alerts, details } = outdated(pending)
    this.readSeriesAgain(project, rows, system)
    this.readConsoleAgain(project, console)
    const measured = [...system].filter((path) => this.mayHaveNewSystemKeys(path))
    if (keys.size + measured.length > 0) {
      void this.queries.invalidateQueries({ queryKey: keyOf.keys(project) }, LET_FINISH)
    }
    // Seldom, and worth more than any answer under way: that one may not have the newest.
    if (alerts.size > 0) void this.queries.invalidateQueries({ queryKey: keyOf.alerts(project) })
    if (details.size > 0) this.readListsAgain(project)
    for (const path of files) {
      const queryKey = [...keyOf.files(project), runIdOfPath(path), 'list']
      void this.queries.invalidateQueries({ queryKey }, LET_FINISH)
    }
    const runs = new Set([...details, ...alerts, ...keys, ...rows, ...console])
    const ids = new Set([...runs].map((path) => runIdOfPath(path)))
    void this.queries.invalidateQueries(
      {
        queryKey: keyOf.run(project),
        predicate: ({ queryKey }) => ids.has(String(queryKey[2])),
      },
      LET_FINISH,
    )
  }

  /** Charts of the runs that grew. A refetch that is still under way leaves them for the next time. */
  private readSeriesAgain(project: string, newRows: Set<string>, newSystem: Set<string>): void {
    const rows = new Set([...this.waiting.rows, ...newRows])
    const system = new Set([...this.waiting.system, ...newSystem])
    if (rows.size + system.size === 0) return
    if (this.queries.isFetching({ queryKey: keyOf.series(project) }) > 0) {
      this.waiting = { ...this.waiting, rows, system }
      this.schedule()
      return
    }
    this.waiting = { ...this.waiting, rows: new Set(), system: new Set() }
    void this.queries.invalidateQueries({
      queryKey: keyOf.series(project),
      predicate: ({ queryKey }) => {
        const grown = isSystemKey(String(queryKey[3])) ? system : rows
        const shape = queryKey[4] as { runs: string[] } | undefined
        return shape?.runs.some((run) => grown.has(run)) ?? false
      },
    })
    if (rows.size > 0) void this.queries.invalidateQueries({ queryKey: keyOf.text(project) }, LET_FINISH)
  }

  /** What is measured of a machine is all there after a few samples: rates need two. Nobody says that it is new. */
  private mayHaveNewSystemKeys(path: string): boolean {
    const count = (this.samples.get(path) ?? 0) + 1
    this.samples.set(path, count)
    return count <= NEW_SAMPLES
  }

  /** What runs printed, as far as it can be another text than before. */
  private readConsoleAgain(project: string, printed: Set<string>): void {
    const runs = new Set([...this.waiting.console, ...printed])
    if (runs.size === 0) return
    if (this.queries.isFetching({ queryKey: keyOf.console(project) }) > 0) {
      this.waiting = { ...this.waiting, console: runs }
      this.schedule()
      return
    }
    this.waiting = { ...this.waiting, console: new Set() }
    for (const path of runs) {
      void this.queries.invalidateQueries({
        queryKey: [...keyOf.console(project), runIdOfPath(path)],
        predicate: ({ queryKey, state }) => isOutdated(queryKey, state.data),
      })
    }
  }

  private readListsAgain(project: string): void {
    if (this.listTimer !== undefined) return
    const wait = Math.max(0, this.listsAt + LIST_MILLIS - Date.now())
    this.listTimer = setTimeout(() => {
      this.listTimer = undefined
      this.listsAt = Date.now()
      void this.queries.invalidateQueries({ queryKey: keyOf.runs(project) }, LET_FINISH)
    }, wait)
  }
}
