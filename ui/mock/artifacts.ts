import type {
  Artifact,
  ArtifactPlace,
  ArtifactRun,
  Collection,
  CollectionKind,
  CollectionList,
  ErrorKind,
  JsonObject,
  Lineage,
  LineageArtifact,
  LinkArtifactRequest,
  RunArtifacts,
  UpdateArtifactRequest,
  UpdateCollectionRequest,
} from '../src/api/types.ts'
import {
  digestOf,
  digitsFiles,
  hostileFiles,
  type MockFile,
  manyFiles,
  mediaFiles,
  modelFiles,
  shardFiles,
  sized,
} from './artifact-files.ts'
import { ENTITY, type MockData, NOTES } from './data.ts'
import { lineageOf, thousandNodes } from './lineage.ts'

/** What the mock answers with an error. */
export class ArtifactError extends Error {
  constructor(
    readonly status: number,
    readonly kind: ErrorKind,
    message: string,
  ) {
    super(message)
  }
}

/** A logged version; files are made when somebody first looks. */
export interface MockVersion {
  place: ArtifactPlace
  type: string
  files: () => readonly MockFile[]
  details: Omit<
    Artifact,
    keyof ArtifactPlace | 'source' | 'type' | 'aliases' | 'digest' | 'file_count' | 'size_bytes' | 'use_count'
  >
  users: ArtifactRun[]
}

export interface MockCollection {
  project: string
  name: string
  kind: CollectionKind
  type: string
  description: string | null
  protectedAliases: string[]
  createdAt: number
  updatedAt: number
  nextVersion: number
  /** Versions by number. */
  members: Map<number, MockVersion>
  /** Numbers by alias. */
  aliases: Map<string, number>
}

const DAY = 86_400
const REGISTRY = 'registry-models'

/** Collections, versions and links over made-up runs. Changes last as long as the server runs. */
export class MockArtifacts {
  readonly collections: MockCollection[] = []
  private ids = 0

  constructor(
    private readonly data: MockData,
    private readonly now: number,
  ) {
    this.addDigits()
    this.addModels()
    this.addOthers()
    this.addLineage()
    this.addRegistry()
  }

  /** In the project with the most runs. */
  private addLineage(): void {
    const project = 'archive-2000'
    const steps = thousandNodes(this.data.runs.get(project)?.length ?? 0)
    for (const [place, { collection, type, by, usedBy }] of steps.entries()) {
      const known = this.collections.find((each) => each.project === project && each.name === collection)
      const files = () => [sized(`${collection}.bin`, 1_000_000 + place, String(place))]
      this.log(known ?? this.add(project, collection, type, 100), files, 100 - place / 12, { by, usedBy })
    }
  }

  private addDigits(): void {
    const digits = this.add('demo', 'digits', 'dataset', 40)
    digits.description = 'Handwritten digits, **28 × 28**, with the script that cut them out of the scans.'
    for (let version = 0; version < 7; version += 1) {
      this.log(digits, () => digitsFiles(version), 40 - version * 6, {
        description: version === 6 ? NOTES : null,
        metadata: {
          source: { scanner: 'Epson V850', dpi: 600, pages: 120 + version * 10 },
          split: { train: 0.8, test: 0.2 },
          classes: ['zero', 'one', 'two', 'three'],
          checked: version > 3,
        },
        tags: version === 6 ? ['checked', 'balanced'] : [],
        by: version % 3 === 2 ? null : version % 5,
        usedBy: [0, 1, 2, 3, 4].slice(0, version % 4),
      })
    }
    digits.aliases.set('baseline', 2).set('release-2026', 5).set('clean', 6).set('team-review', 6)
  }

  private addModels(): void {
    const model = this.add('demo', 'small-gpt', 'model', 30)
    model.description = 'Checkpoints of the small language model, one for each evaluation.'
    model.protectedAliases = ['production']
    for (let version = 0; version < 260; version += 1) {
      this.log(model, () => modelFiles(version), 30 - version * 0.11, {
        description: null,
        metadata: { step: version * 500, 'val/loss': Number((3.4 / (1 + version / 60)).toFixed(4)), dtype: 'bfloat16' },
        tags: version % 40 === 0 ? ['kept'] : [],
        by: version % 5,
        usedBy: version % 50 === 9 ? [1, 3] : [],
        ttl: version % 10 === 9 ? null : 30 * DAY,
      })
    }
    model.aliases.set('best', 243).set('candidate', 251).set('production', 209).set('before-the-bug-in-the-loader', 101)
    const evaluation = this.add('demo', 'eval-report', 'evaluation', 12)
    for (let version = 0; version < 3; version += 1) {
      this.log(
        evaluation,
        () => digitsFiles(version + 1).filter(({ path }) => /table|json|README/.test(path)),
        12 - version,
        {
          by: version,
        },
      )
    }
    evaluation.aliases.set('best', 2)
  }

  private addOthers(): void {
    const shards = this.add('demo', 'openwebtext', 'dataset', 90)
    shards.description = 'Stays where it is: only references.'
    this.log(shards, shardFiles, 90, { by: null, usedBy: [0, 1, 2, 3, 4], metadata: { tokens: 9_035_582_198 } })
    const many = this.add('demo', 'imagenet-100k', 'dataset', 60)
    this.log(many, memo(manyFiles), 60, { by: null, usedBy: [2] })
    const media = this.add('demo', 'gallery', 'media', 8)
    media.description = 'Sound, pictures, films and scenes.'
    this.log(media, memo(mediaFiles), 8, { by: 1 })
    const hostile = this.add('demo', 'hostile', 'media', 5)
    hostile.description = '<img src=x onerror=alert(1)> [click](javascript:alert(1))'
    this.log(hostile, memo(hostileFiles), 5, {
      by: 2,
      description: '<script>alert(1)</script> **bold**',
      metadata: { '<b>key</b>': '<b>value</b>', nested: { list: [1, { two: null }], 'not a number': 'NaN' } },
      tags: ['<i>tag</i>'],
    })
    const broken = this.add('demo', 'unreadable', 'media', 3)
    this.log(broken, memo(hostileFiles), 3, { by: 3 })
    const empty = this.add('demo', 'retired', 'model', 200)
    empty.nextVersion = 4
    const other = this.add('sweep-300', 'tiny-gpt', 'model', 20)
    for (let version = 0; version < 4; version += 1)
      this.log(other, () => modelFiles(version), 20 - version, { by: version })
  }

  private addRegistry(): void {
    const chat = this.add(REGISTRY, 'chat', 'model', 25, 'registry')
    chat.description = 'What answers on the website.'
    chat.protectedAliases = ['production']
    const source = (collection: string, version: number) => ({
      entity: ENTITY,
      project: 'demo',
      collection,
      version: `v${version}`,
    })
    this.link(chat, source('small-gpt', 101), [])
    this.link(chat, source('small-gpt', 209), ['production'])
    this.link(chat, source('small-gpt', 251), ['staging'])
    const tiny = this.add(REGISTRY, 'autocomplete', 'model', 15, 'registry')
    this.link(tiny, { entity: ENTITY, project: 'sweep-300', collection: 'tiny-gpt', version: 'v2' }, ['staging'])
    const golden = this.add('registry-datasets', 'golden-digits', 'dataset', 10, 'registry')
    this.link(golden, source('digits', 5), ['production', 'audited'])
  }

  private add(
    project: string,
    name: string,
    type: string,
    age: number,
    kind: CollectionKind = 'source',
  ): MockCollection {
    const at = this.now - age * DAY
    const collection: MockCollection = {
      project,
      name,
      kind,
      type,
      description: null,
      protectedAliases: [],
      createdAt: at,
      updatedAt: at,
      nextVersion: 0,
      members: new Map(),
      aliases: new Map(),
    }
    this.collections.push(collection)
    return collection
  }

  private log(
    collection: MockCollection,
    files: () => MockFile[],
    age: number,
    plan: {
      by?: number | null
      usedBy?: number[]
      description?: string | null
      metadata?: JsonObject
      tags?: string[]
      ttl?: number | null
    },
  ): void {
    const { project, name, type } = collection
    const number = collection.nextVersion
    const at = this.now - age * DAY
    const runs = (this.data.runs.get(project) ?? []).map(({ run }) => ({
      entity: ENTITY,
      project,
      run_id: run.id,
      name: run.name,
    }))
    const by = plan.by ?? null
    this.ids += 1
    collection.members.set(number, {
      place: { entity: ENTITY, project, collection: name, version: `v${number}` },
      type,
      files: memo(files),
      details: {
        id: this.ids.toString(16).padStart(32, '0'),
        tags: plan.tags ?? [],
        description: plan.description ?? null,
        metadata: plan.metadata ?? {},
        ttl_seconds: plan.ttl ?? null,
        logged_by: by === null ? null : (runs[by] ?? null),
        step: by === null ? null : 500 * number,
        created_at: at,
        updated_at: at,
      },
      users: (plan.usedBy ?? []).map((index) => runs[index]).filter((run) => run !== undefined),
    })
    collection.nextVersion = number + 1
    collection.aliases.set('latest', number)
    collection.updatedAt = at
  }

  /** What there is of a collection, as the server says it. */
  describe(collection: MockCollection): Collection {
    const latest = Math.max(...collection.members.keys())
    const contents = new Map<string, number>()
    for (const version of sample([...collection.members.values()])) {
      for (const file of version.files())
        contents.set(file.sha256 ?? file.path, file.sha256 === null ? 0 : (file.size_bytes ?? 0))
    }
    return {
      entity: ENTITY,
      project: collection.project,
      name: collection.name,
      kind: collection.kind,
      type: collection.type,
      description: collection.description,
      version_count: collection.members.size,
      latest_version: collection.members.size === 0 ? null : `v${latest}`,
      aliases: [...collection.aliases]
        .map(([alias, number]) => ({ alias, version: `v${number}` }))
        .sort((a, b) => (a.alias < b.alias ? -1 : 1)),
      protected_aliases: collection.protectedAliases,
      size_bytes: [...contents.values()].reduce((sum, size) => sum + size, 0),
      created_at: collection.createdAt,
      updated_at: collection.updatedAt,
    }
  }

  /** A version as it stands in a collection, as the server says it. */
  artifact(collection: MockCollection, number: number): Artifact {
    const version = collection.members.get(number)
    if (version === undefined) throw notFound(`${collection.name} has no version v${number}`)
    const files = version.files()
    return {
      ...version.details,
      entity: ENTITY,
      project: collection.project,
      collection: collection.name,
      version: `v${number}`,
      source: version.place,
      type: version.type,
      digest: digestOf(files),
      aliases: [...collection.aliases]
        .filter(([, at]) => at === number)
        .map(([alias]) => alias)
        .sort(),
      file_count: files.length,
      size_bytes: files.reduce((sum, file) => sum + (file.size_bytes ?? 0), 0),
      use_count: version.users.length,
    }
  }

  lineage(collection: MockCollection, number: number, limit: number): Lineage {
    const describe = ({ place }: MockVersion): LineageArtifact => {
      const home = this.find(place.project, place.collection)
      const { type, aliases, digest, file_count, size_bytes, created_at } = this.artifact(
        home,
        this.numberOf(home, place.version),
      )
      return { ...place, type, aliases, digest, file_count, size_bytes, created_at }
    }
    const place = collection.members.get(number)?.place
    if (place === undefined) throw notFound(`${collection.name} has no version v${number}`)
    return lineageOf(this.collections, this.data, place, describe, limit)
  }

  find(project: string, name: string): MockCollection {
    const collection = this.collections.find((each) => each.project === project && each.name === name)
    if (collection === undefined) throw notFound(`${ENTITY}/${project} has no collection ${name}`)
    // A sentinel: what the page does when the server fails.
    if (name === 'unreadable') throw new ArtifactError(500, 'internal', 'the catalog is damaged: run steplog verify')
    return collection
  }

  /** The number that a version (`v3`) or alias stands for. */
  numberOf(collection: MockCollection, version: string): number {
    const number = /^v\d+$/.test(version) ? Number(version.slice(1)) : collection.aliases.get(version)
    if (number === undefined || !collection.members.has(number)) {
      throw notFound(`${collection.name} has no version or alias ${version}`)
    }
    return number
  }

  list(project: string | null, kind: string | null, type: string | null, search: string): CollectionList {
    const wanted = search.toLowerCase()
    const all = this.collections.filter(
      (each) =>
        (project === null || each.project === project) &&
        (kind === null || each.kind === kind) &&
        each.name.toLowerCase().includes(wanted),
    )
    const counts = new Map<string, number>()
    for (const each of all) counts.set(each.type, (counts.get(each.type) ?? 0) + 1)
    return {
      collections: all
        .filter((each) => type === null || each.type === type)
        .sort((a, b) => (a.type === b.type ? (a.name < b.name ? -1 : 1) : a.type < b.type ? -1 : 1))
        .map((each) => this.describe(each)),
      types: [...counts].map(([name, count]) => ({ type: name, count })).sort((a, b) => (a.type < b.type ? -1 : 1)),
      next_cursor: null,
    }
  }

  update(collection: MockCollection, number: number, request: UpdateArtifactRequest): Artifact {
    const version = collection.members.get(number)
    if (version === undefined) throw notFound(`${collection.name} has no version v${number}`)
    const { add_aliases = [], remove_aliases = [], add_tags = [], remove_tags = [] } = request
    for (const alias of add_aliases) {
      if (!/^[^/:]{1,128}$/.test(alias) || /^v\d+$/.test(alias)) {
        throw new ArtifactError(400, 'invalid', `alias "${alias}" must have no / or : and not look like a version`)
      }
      this.refuseProtected(collection, alias)
    }
    for (const alias of remove_aliases) this.refuseProtected(collection, alias)
    for (const alias of add_aliases) collection.aliases.set(alias, number)
    for (const alias of remove_aliases) collection.aliases.delete(alias)
    const { details } = version
    version.details = {
      ...details,
      tags: [...new Set([...details.tags, ...add_tags])].filter((tag) => !remove_tags.includes(tag)).sort(),
      description: request.description === undefined ? details.description : request.description || null,
      metadata: request.metadata ?? details.metadata,
      ttl_seconds: request.ttl_seconds === undefined ? details.ttl_seconds : request.ttl_seconds || null,
      updated_at: Date.now() / 1000,
    }
    collection.updatedAt = Date.now() / 1000
    return this.artifact(collection, number)
  }

  private refuseProtected(collection: MockCollection, alias: string): void {
    if (collection.protectedAliases.includes(alias)) {
      throw new ArtifactError(
        409,
        'conflict',
        `alias ${alias} is protected: take it off the protected aliases of ${collection.name} first`,
      )
    }
  }

  change(collection: MockCollection, request: UpdateCollectionRequest): Collection {
    if (request.name !== undefined && request.name !== collection.name) {
      if (this.collections.some((each) => each.project === collection.project && each.name === request.name)) {
        throw new ArtifactError(409, 'conflict', `there is a collection ${request.name} already`)
      }
      collection.name = request.name
      for (const version of collection.members.values()) version.place = { ...version.place, collection: request.name }
    }
    if (request.description !== undefined) collection.description = request.description || null
    if (request.protected_aliases !== undefined) collection.protectedAliases = request.protected_aliases
    return this.describe(collection)
  }

  remove(collection: MockCollection, number: number, withAliases: boolean): void {
    const held = [...collection.aliases].filter(([, at]) => at === number).map(([alias]) => alias)
    for (const alias of held) this.refuseProtected(collection, alias)
    if (held.length > 0 && !withAliases) {
      throw new ArtifactError(409, 'conflict', `aliases point at v${number}: ${held.join(', ')}`)
    }
    collection.members.delete(number)
    for (const alias of held) collection.aliases.delete(alias)
    const newest = Math.max(...collection.members.keys())
    if (held.includes('latest') && Number.isFinite(newest)) collection.aliases.set('latest', newest)
  }

  removeCollection(collection: MockCollection): void {
    const [alias] = collection.protectedAliases.filter((each) => collection.aliases.has(each))
    if (alias !== undefined) this.refuseProtected(collection, alias)
    this.collections.splice(this.collections.indexOf(collection), 1)
  }

  linkInto(project: string, name: string, request: LinkArtifactRequest): Artifact {
    const source = this.find(request.source.project, request.source.collection)
    const known = this.collections.find((each) => each.project === project && each.name === name)
    if (known !== undefined && known.kind === 'source') {
      throw new ArtifactError(409, 'conflict', `${name} holds versions of its own: choose another name`)
    }
    if (known !== undefined && known.type !== source.type) {
      throw new ArtifactError(409, 'conflict', `${name} is of type ${known.type}, not ${source.type}`)
    }
    const target = known ?? this.add(project, name, source.type, 0, 'registry')
    return this.artifact(target, this.link(target, request.source, request.aliases ?? []))
  }

  private link(
    target: MockCollection,
    { project, collection, version }: ArtifactPlace,
    aliases: readonly string[],
  ): number {
    const source = this.find(project, collection)
    const linked = source.members.get(this.numberOf(source, version))
    if (linked === undefined) throw notFound(`${collection} has no version ${version}`)
    for (const alias of aliases) if (target.aliases.has(alias)) this.refuseProtected(target, alias)
    const known = [...target.members].find(([, each]) => each === linked)
    const number = known?.[0] ?? target.nextVersion
    target.members.set(number, linked)
    target.nextVersion = Math.max(target.nextVersion, number + 1)
    target.updatedAt = this.now
    for (const alias of ['latest', ...aliases]) target.aliases.set(alias, number)
    return number
  }

  /** What a run made and used. */
  ofRun(project: string, id: string): RunArtifacts {
    const result: RunArtifacts = { logged: [], used: [] }
    for (const collection of this.collections) {
      if (collection.kind !== 'source' || collection.project !== project) continue
      for (const [number, { details, users }] of collection.members) {
        if (details.logged_by?.run_id === id) result.logged.push(this.artifact(collection, number))
        if (users.some(({ run_id }) => run_id === id)) result.used.push(this.artifact(collection, number))
      }
    }
    for (const list of [result.logged, result.used]) list.sort((a, b) => b.created_at - a.created_at)
    return result
  }
}

function notFound(message: string): ArtifactError {
  return new ArtifactError(404, 'not_found', message)
}

/** Sizes of a collection are guessed from a few of its versions. */
function sample<T>(list: readonly T[]): T[] {
  return list.filter((_, index) => list.length < 20 || index % 25 === 0)
}

function memo<T>(make: () => T): () => T {
  let value: { made: T } | undefined
  return () => {
    value ??= { made: make() }
    return value.made
  }
}
