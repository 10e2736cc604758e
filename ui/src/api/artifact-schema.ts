import type { components } from '~/api/schema'

type RunState = components['schemas']['RunState']

/** The shapes of artifacts, as the generated schema will have them. */
export interface ArtifactSchemas {
  CollectionKind: 'source' | 'registry'
  CollectionList: {
    collections: ArtifactSchemas['Collection'][]
    types: ArtifactSchemas['TypeCount'][]
    next_cursor: string | null
  }
  TypeCount: { type: string; count: number }
  Collection: {
    entity: string
    project: string
    name: string
    kind: ArtifactSchemas['CollectionKind']
    type: string
    description: string | null
    version_count: number
    latest_version: string | null
    aliases: ArtifactSchemas['CollectionAlias'][]
    protected_aliases: string[]
    size_bytes: number
    created_at: number
    updated_at: number
  }
  CollectionAlias: { alias: string; version: string }
  UpdateCollectionRequest: {
    name?: string | null
    description?: string | null
    protected_aliases?: string[] | null
  }
  ArtifactList: { artifacts: ArtifactSchemas['Artifact'][]; next_cursor: string | null }
  ArtifactPlace: { entity: string; project: string; collection: string; version: string }
  ArtifactRun: { entity: string; project: string; run_id: string; name: string | null }
  Artifact: {
    id: string
    entity: string
    project: string
    collection: string
    version: string
    source: ArtifactSchemas['ArtifactPlace']
    type: string
    digest: string
    aliases: string[]
    tags: string[]
    description: string | null
    metadata: Record<string, never>
    ttl_seconds: number | null
    file_count: number
    size_bytes: number
    logged_by: ArtifactSchemas['ArtifactRun'] | null
    step: number | null
    use_count: number
    created_at: number
    updated_at: number
  }
  UpdateArtifactRequest: {
    description?: string | null
    metadata?: Record<string, never> | null
    add_aliases?: string[]
    remove_aliases?: string[]
    add_tags?: string[]
    remove_tags?: string[]
    ttl_seconds?: number | null
  }
  LinkArtifactRequest: { source: ArtifactSchemas['ArtifactPlace']; aliases?: string[] }
  ArtifactEntry: {
    path: string
    size_bytes: number | null
    digest: string
    sha256: string | null
    reference: string | null
    extra: Record<string, never>
    media_type: string
  }
  ArtifactFolder: { path: string; file_count: number; size_bytes: number }
  ArtifactEntryList: {
    folders: ArtifactSchemas['ArtifactFolder'][]
    entries: ArtifactSchemas['ArtifactEntry'][]
    next_cursor: string | null
  }
  DiffChange: 'added' | 'removed' | 'changed'
  DiffEntry: {
    path: string
    change: ArtifactSchemas['DiffChange']
    before: ArtifactSchemas['ArtifactEntry'] | null
    after: ArtifactSchemas['ArtifactEntry'] | null
  }
  ArtifactDiff: {
    before: ArtifactSchemas['Artifact']
    after: ArtifactSchemas['Artifact']
    added_count: number
    removed_count: number
    changed_count: number
    unchanged_count: number
    entries: ArtifactSchemas['DiffEntry'][]
    next_cursor: string | null
  }
  Lineage: {
    artifacts: ArtifactSchemas['LineageArtifact'][]
    runs: ArtifactSchemas['LineageRun'][]
    edges: ArtifactSchemas['LineageEdge'][]
    truncated: boolean
  }
  LineageArtifact: ArtifactSchemas['ArtifactPlace'] & {
    type: string
    aliases: string[]
    digest: string
    file_count: number
    size_bytes: number
    created_at: number
  }
  LineageRun: {
    entity: string
    project: string
    run_id: string
    name: string | null
    state: RunState | null
    job_type: string | null
    created_at: number | null
  }
  LineageRelation: 'logged' | 'used'
  LineageEdge: { run: number; artifact: number; relation: ArtifactSchemas['LineageRelation'] }
  RunArtifacts: { logged: ArtifactSchemas['Artifact'][]; used: ArtifactSchemas['Artifact'][] }
  ArtifactRuns: { runs: ArtifactSchemas['ArtifactRun'][]; next_cursor: string | null }
  ArtifactVerification: { good_count: number; damaged: string[]; reference_count: number }
}
