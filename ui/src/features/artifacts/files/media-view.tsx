import { useState } from 'react'
import type { Artifact } from '~/api/types'
import { nameOf } from '~/features/artifacts/files/entry-rows'
import { api } from '~/lib/path-builder'
import { Message } from '~/ui/message'
import styles from './media-view.module.css'

interface MediaViewProps {
  artifact: Artifact
  kind: 'image' | 'audio' | 'video'
  path: string
}

/** A picture, sound or film of a version. Pictures are shown as pictures, in which no script runs. */
export function MediaView({ artifact, kind, path }: MediaViewProps) {
  const [failed, setFailed] = useState(false)
  const source = api.artifactFile(artifact, path)
  const onError = () => setFailed(true)
  if (failed)
    return (
      <Message title="Cannot be shown">The file is damaged, or in a format that this browser does not know.</Message>
    )
  if (kind === 'image') return <img className={styles.media} src={source} alt={nameOf(path)} onError={onError} />
  // biome-ignore lint/a11y/useMediaCaption: recordings have no captions
  if (kind === 'audio') return <audio className={styles.audio} controls src={source} onError={onError} />
  // biome-ignore lint/a11y/useMediaCaption: recordings have no captions
  return <video className={styles.media} controls src={source} onError={onError} />
}
