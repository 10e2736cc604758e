import type { components } from '~/api/schema'

/**
 * The shapes of the HTTP API under short names. `schema.ts` is generated from the server's OpenAPI document (`npm run gen`);
 * only what that document cannot say, JSON values of any kind, is said here.
 */
type Schemas = components['schemas']

/** Anything JSON can say; non-finite numbers come as the strings `NaN`, `Infinity` and `-Infinity`. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }
export type JsonObject = { [key: string]: JsonValue }

export type RunState = Schemas['RunState']
export type Project = Schemas['Project']
export type ProjectList = Schemas['ProjectList']
export type Run = Omit<Schemas['Run'], 'values'> & { values: Record<string, JsonValue> }
export type RunGroup = Omit<Schemas['RunGroup'], 'value'> & { value: JsonValue }
export type RunList = Omit<Schemas['RunList'], 'runs' | 'groups'> & { runs: Run[]; groups: RunGroup[] }
export type Sort = Required<Schemas['Sort']>
/** Absent members have the server's defaults. */
export type RunsRequest = Partial<Schemas['RunsRequest']> & { project: string }
export type Stream = Schemas['Stream']
export type ForkPoint = Schemas['ForkPoint']
export type Metric = Schemas['Metric']
export type RunDetail = {
  run: Run
  config: JsonObject
  summary: JsonObject
  environment: JsonObject
  streams: Stream[]
  metrics: Metric[]
  alert_count: number
  console_line_count: number
  forks: string[]
}
/** Absent members stay as they are. */
export type UpdateRunRequest = {
  [Name in keyof Schemas['UpdateRunRequest']]?: NonNullable<Schemas['UpdateRunRequest'][Name]>
}
export type ValueKind = Schemas['ValueKind']
export type MetricKey = Schemas['MetricKey']
export type KeyList = Schemas['KeyList']
export type XAxis = Schemas['XAxis']
export type SeriesRequest = {
  runs: string[]
  keys: string[]
  x: XAxis
  range: [number, number] | null
  buckets: number
}
export type Grid = Schemas['Grid']
export type SeriesInfo = Schemas['SeriesInfo']
export type SeriesMetadata = Schemas['SeriesMetadata']
export type AlertLevel = Schemas['AlertLevel']
export type RunAlert = Schemas['RunAlert']
export type AlertList = Schemas['AlertList']
export type AlertsRequest = Partial<Schemas['AlertsRequest']> & { project: string }
export type ConsoleLine = Schemas['ConsoleLine']
export type ConsoleProcess = Schemas['ConsoleProcess']
export type ConsoleLineList = Schemas['ConsoleLineList']
/** Absent members have the server's defaults. */
export type ConsoleRequest = Partial<Schemas['ConsoleRequest']> & { run: string }
export type AlertChannel = Schemas['AlertChannel']
export type AlertChannelKind = Schemas['AlertChannelKind']
export type AlertChannelList = Schemas['AlertChannelList']
export type AlertChannelTest = Schemas['AlertChannelTest']
export type AlertDelivery = Schemas['AlertDelivery']
export type CreateAlertChannelRequest = Schemas['CreateAlertChannelRequest']
/** Absent members stay as they are. */
export type UpdateAlertChannelRequest = {
  [Name in keyof Schemas['UpdateAlertChannelRequest']]?: NonNullable<Schemas['UpdateAlertChannelRequest'][Name]>
}
export type RunFile = Schemas['RunFile']
export type FileList = Schemas['FileList']
export type ConsoleOutput = Schemas['ConsoleOutput']
export type RunChange = Schemas['RunChange']
export type RunsEvent = Schemas['RunsEvent']
export type User = Schemas['User']
export type UserList = Schemas['UserList']
export type Session = Schemas['Session']
export type ApiKey = Schemas['ApiKey']
export type ApiKeyList = Schemas['ApiKeyList']
export type CreatedApiKey = Schemas['CreatedApiKey']
export type ErrorKind = Schemas['ErrorKind']
export type ErrorBody = Schemas['ErrorBody']
export type ArtifactPlace = Schemas['ArtifactPlace']
export type ArtifactRun = Schemas['ArtifactRun']
export type Artifact = Omit<Schemas['Artifact'], 'metadata'> & { metadata: JsonObject }
export type ArtifactList = Omit<Schemas['ArtifactList'], 'artifacts'> & { artifacts: Artifact[] }
export type ArtifactEntry = Omit<Schemas['ArtifactEntry'], 'extra'> & { extra: JsonObject }
export type ArtifactFolder = Schemas['ArtifactFolder']
export type ArtifactEntryList = Omit<Schemas['ArtifactEntryList'], 'entries'> & { entries: ArtifactEntry[] }
export type ArtifactRuns = Schemas['ArtifactRuns']
export type ArtifactsEvent = Schemas['ArtifactsEvent']
export type ArtifactVerification = Schemas['ArtifactVerification']
export type Collection = Schemas['Collection']
export type CollectionAlias = Schemas['CollectionAlias']
export type CollectionKind = Schemas['CollectionKind']
export type CollectionList = Schemas['CollectionList']
export type DiffChange = Schemas['DiffChange']
export type DiffEntry = Omit<Schemas['DiffEntry'], 'before' | 'after'> & {
  before: ArtifactEntry | null
  after: ArtifactEntry | null
}
export type ArtifactDiff = Omit<Schemas['ArtifactDiff'], 'before' | 'after' | 'entries'> & {
  before: Artifact
  after: Artifact
  entries: DiffEntry[]
}
export type Lineage = Schemas['Lineage']
export type LineageArtifact = Schemas['LineageArtifact']
export type LineageRun = Schemas['LineageRun']
export type LineageEdge = Schemas['LineageEdge']
export type LineageRelation = Schemas['LineageRelation']
export type LinkArtifactRequest = Schemas['LinkArtifactRequest']
export type RunArtifacts = Omit<Schemas['RunArtifacts'], 'logged' | 'used'> & {
  logged: Artifact[]
  used: Artifact[]
}
/** Absent members stay as they are. */
export type UpdateArtifactRequest = Omit<Optional<Schemas['UpdateArtifactRequest']>, 'metadata'> & {
  metadata?: JsonObject
}
/** Absent members stay as they are. */
export type UpdateCollectionRequest = Optional<Schemas['UpdateCollectionRequest']>

type Optional<Shape> = { [Name in keyof Shape]?: NonNullable<Shape[Name]> }
