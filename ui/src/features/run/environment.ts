import type { JsonObject, JsonValue } from '~/api/types'

export interface Gpu {
  name: string
  memoryBytes: number | null
}

export interface GitState {
  commit: string | null
  branch: string | null
  remote: string | null
  root: string | null
  dirty: boolean
  message: string | null
}

/** What a client said of its surroundings, as far as it makes sense: it can say anything. */
export interface Environment {
  /** The words of the command line. */
  command: string[]
  program: string | null
  workingDirectory: string | null
  executable: string | null
  python: string | null
  host: string | null
  platform: string | null
  /** The name of the operating system, as people know it. */
  system: string | null
  user: string | null
  cpuModel: string | null
  cpuCount: number | null
  memoryBytes: number | null
  container: string | null
  gpus: Gpu[]
  git: GitState | null
  /** By name. */
  packages: [name: string, version: string][]
  /** What is in none of the above. */
  rest: JsonObject
}

const text = (value: JsonValue | undefined) => (typeof value === 'string' && value !== '' ? value : null)
const count = (value: JsonValue | undefined) =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null
const object = (value: JsonValue | undefined): JsonObject | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null

export function readEnvironment(environment: JsonObject): Environment {
  const used = new Set<string>()
  /** A member, which counts as told when it makes sense. */
  const take = <T>(name: string, read: (value: JsonValue | undefined) => T | null): T | null => {
    const value = Object.hasOwn(environment, name) ? read(environment[name]) : null
    if (value !== null) used.add(name)
    return value
  }
  const os = take('os', text)
  const told: Omit<Environment, 'rest'> = {
    command: take('command', readCommand) ?? [],
    program: take('program', text),
    workingDirectory: take('working_directory', text),
    executable: take('executable', text),
    python: take('python', text),
    host: take('host', text),
    platform: take('platform', text),
    system: take('distribution', text) ?? os,
    user: take('user', text),
    cpuModel: take('cpu_model', text),
    cpuCount: take('cpu_count', count),
    memoryBytes: take('memory_bytes', count),
    container: take('container', text),
    gpus: take('gpus', readGpus) ?? [],
    git: take('git', readGit),
    packages: take('packages', readPackages) ?? [],
  }
  return { ...told, rest: Object.fromEntries(Object.entries(environment).filter(([name]) => !used.has(name))) }
}

function readCommand(value: JsonValue | undefined): string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  return value.every((word) => typeof word === 'string') ? (value as string[]) : null
}

function readGpus(value: JsonValue | undefined): Gpu[] | null {
  if (!Array.isArray(value)) return null
  const gpus = value.flatMap((each) => {
    const gpu = object(each)
    const name = text(gpu?.name)
    return gpu === null || name === null ? [] : [{ name, memoryBytes: count(gpu.memory_bytes) }]
  })
  return gpus.length === value.length && gpus.length > 0 ? gpus : null
}

function readGit(value: JsonValue | undefined): GitState | null {
  const git = object(value)
  if (git === null) return null
  const state: GitState = {
    commit: text(git.commit),
    branch: text(git.branch),
    remote: text(git.remote),
    root: text(git.root),
    dirty: git.dirty === true,
    message: text(git.message),
  }
  return state.commit === null && state.branch === null && state.remote === null ? null : state
}

function readPackages(value: JsonValue | undefined): Environment['packages'] | null {
  const packages = object(value)
  if (packages === null) return null
  const entries = Object.entries(packages)
  if (entries.length === 0 || !entries.every(([, version]) => typeof version === 'string')) return null
  return (entries as Environment['packages']).sort(([a], [b]) => a.localeCompare(b, 'en', { sensitivity: 'base' }))
}

/** GPUs of one kind together: `8 × NVIDIA H100`. */
export function countGpus(gpus: readonly Gpu[]): (Gpu & { count: number })[] {
  const kinds = new Map<string, Gpu & { count: number }>()
  for (const gpu of gpus) {
    const kind = `${gpu.name} ${gpu.memoryBytes}`
    const known = kinds.get(kind)
    if (known === undefined) kinds.set(kind, { ...gpu, count: 1 })
    else known.count += 1
  }
  return [...kinds.values()]
}
