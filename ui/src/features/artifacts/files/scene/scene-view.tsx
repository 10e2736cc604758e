import { RotateCcw } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { Scene } from '~/features/artifacts/files/scene/read-scene'
import { SceneViewer } from '~/features/artifacts/files/scene/scene-viewer'
import { IconButton } from '~/ui/button'
import { Message } from '~/ui/message'
import styles from './scene-view.module.css'

/** A scene that one turns, moves and zooms with the pointer. */
export function SceneView({ scene, label }: { scene: Scene; label: string }) {
  const host = useRef<HTMLDivElement>(null)
  const viewer = useRef<SceneViewer | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    if (host.current === null) return undefined
    try {
      viewer.current = new SceneViewer(host.current, scene)
    } catch {
      setFailed(true)
    }
    return () => {
      viewer.current?.dispose()
      viewer.current = null
    }
  }, [scene])
  if (failed) return <Message title="No 3-D here">This browser has no WebGL, or it is turned off.</Message>
  return (
    <div className={styles.view}>
      <div ref={host} className={styles.host} role="img" aria-label={label} />
      <IconButton label="Look at all of it" className={styles.reset} onClick={() => viewer.current?.reset()}>
        <RotateCcw size={15} />
      </IconButton>
      <p className={styles.hint}>drag to turn · scroll to zoom · right button to move</p>
    </div>
  )
}
