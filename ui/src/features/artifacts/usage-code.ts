import type { Artifact, ArtifactPlace } from '~/api/types'
import { api } from '~/lib/path-builder'
import { shellQuote } from '~/lib/shell-quote'

/** `entity/project/collection:version`, as every client names a version. */
export function qualifiedName({ entity, project, collection, version }: ArtifactPlace): string {
  return `${entity}/${project}/${collection}:${version}`
}

/** A string of Python: JSON's strings are ones. */
const quote = (text: string) => JSON.stringify(text)

export function firstArtifactLines(project: string): string {
  return `import steplog

with steplog.init(project=${quote(project)}) as run:
    data = steplog.Artifact("my-data", type="dataset", metadata={"source": "scans"})
    data.add_dir("data/")
    run.log_artifact(data, aliases=["clean"])`
}

export function firstLinkLines(): string {
  return `import steplog

with steplog.init(project="demo") as run:
    model = run.log_artifact("model.pt", name="my-model", type="model")
    run.link_artifact(model, "registry-models/my-model", aliases=["staging"])`
}

/** A run of the project in which the version was made; of a registry that is another one than where it stands. */
export function pythonCode(artifact: Pick<Artifact, keyof ArtifactPlace | 'source' | 'type'>): string {
  return `import steplog

with steplog.init(project=${quote(artifact.source.project)}) as run:
    artifact = run.use_artifact(${quote(qualifiedName(artifact))}, type=${quote(artifact.type)})
    folder = artifact.download()`
}

export function commandLineCode(place: ArtifactPlace): string {
  const name = qualifiedName(place)
  return `${shellQuote(['steplog', 'artifact', 'ls', name])}
${shellQuote(['steplog', 'artifact', 'get', name])}`
}

/**
 * One file over HTTP, or the list of all of them for `null`. The key is only needed where the server asks for one; the
 * shell fills it in, so that it is never part of what is copied.
 */
export function curlCode(place: ArtifactPlace, file: string | null, origin: string, loginRequired: boolean): string {
  const name = file === null ? `${place.collection}-${place.version}.jsonl` : file.slice(file.lastIndexOf('/') + 1)
  const url = origin + (file === null ? api.version(place, 'manifest') : api.artifactFile(place, file))
  const lines = [
    'curl --fail',
    ...(loginRequired ? ['--header "Authorization: Bearer $STEPLOG_API_KEY"'] : []),
    `--output ${shellQuote([name])}`,
    shellQuote([url]),
  ]
  return lines.join(' \\\n  ')
}
