import type { ArtifactEntry } from '~/api/types'
import { previewKind as plainKind } from '~/features/files/file-tree'

/** Formats of scenes by the ending of their names. */
export const SCENE_FORMATS = ['obj', 'gltf', 'glb', 'stl', 'pts.json'] as const
export type SceneFormat = (typeof SCENE_FORMATS)[number]

export type PreviewKind =
  | 'reference'
  | 'image'
  | 'audio'
  | 'video'
  | 'markdown'
  | 'json'
  | 'text'
  | 'delimited'
  | 'table'
  | 'media'
  | 'scene'
  | 'none'

/** `.image-file.json` and its like: a few words about a file beside them. */
const MEDIA_NAME = /\.(?:image|audio|video|object3D)-file\.json$/

export function sceneFormat(path: string): SceneFormat | null {
  const name = path.toLowerCase()
  return SCENE_FORMATS.find((format) => name.endsWith(`.${format}`)) ?? null
}

/** How a file can be shown. Pages and scripts are shown as their text, never run. */
export function previewKind(entry: Pick<ArtifactEntry, 'path' | 'media_type' | 'reference'>): PreviewKind {
  const { path, media_type: type } = entry
  if (entry.reference !== null) return 'reference'
  if (sceneFormat(path) !== null) return 'scene'
  if (path.endsWith('.table.json')) return 'table'
  if (MEDIA_NAME.test(path)) return 'media'
  if (type === 'text/csv' || type === 'text/tab-separated-values') return 'delimited'
  if (type === 'text/markdown') return 'markdown'
  return plainKind(type)
}

/**
 * Whether a path that stands in a file can be one of the same version. The others would lead somewhere else when a browser
 * makes an address of them.
 */
export function isEntryPath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
