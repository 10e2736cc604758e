import {
  AmbientLight,
  Box3,
  DirectionalLight,
  HemisphereLight,
  type Material,
  type Mesh,
  type Object3D,
  PerspectiveCamera,
  Sprite,
  Texture,
  Scene as ThreeScene,
  Vector3,
  WebGLRenderer,
} from 'three'
import { OrbitControls } from 'three/addons/controls/OrbitControls.js'
import type { Scene } from '~/features/artifacts/files/scene/read-scene'

const FIELD_OF_VIEW = 45
/** How far away one stands, as a share of where the sphere around the object fits: few things fill their sphere. */
const DISTANCE = 1
const FROM = new Vector3(1, 0.65, 1.2).normalize()

/** Draws a scene into a canvas of its own; only when something changed, so that an open page does not warm a laptop. */
export class SceneViewer {
  private readonly renderer: WebGLRenderer
  private readonly scene = new ThreeScene()
  private readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.01, 1_000)
  private readonly controls: OrbitControls
  private readonly observer: ResizeObserver
  private frame: number | undefined
  private radius = 1
  private readonly center = new Vector3()

  /** # Throws when the browser has no WebGL. */
  constructor(
    private readonly host: HTMLElement,
    { object, zUp }: Scene,
  ) {
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true })
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio))
    host.appendChild(this.renderer.domElement)
    if (zUp) object.rotation.x = -Math.PI / 2
    const key = new DirectionalLight(0xffffff, 1.8)
    key.position.set(3, 5, 4)
    this.scene.add(object, key, new HemisphereLight(0xffffff, 0x667088, 1.3), new AmbientLight(0xffffff, 0.35))
    this.controls = new OrbitControls(this.camera, this.renderer.domElement)
    this.controls.addEventListener('change', this.draw)
    this.renderer.domElement.addEventListener('webglcontextrestored', this.draw)
    this.measure(object)
    this.reset()
    this.observer = new ResizeObserver(() => this.resize())
    this.observer.observe(host)
    this.resize()
  }

  /** Looks at the whole object again. */
  reset(): void {
    const distance = (this.radius * DISTANCE) / Math.sin((FIELD_OF_VIEW * Math.PI) / 360)
    this.controls.target.copy(this.center)
    this.camera.position.copy(this.center).addScaledVector(FROM, distance)
    this.camera.near = distance / 500
    this.camera.far = distance * 20
    this.camera.updateProjectionMatrix()
    this.controls.update()
    this.draw()
  }

  /** Frees what the graphics card holds. */
  dispose(): void {
    this.observer.disconnect()
    if (this.frame !== undefined) cancelAnimationFrame(this.frame)
    this.controls.dispose()
    this.scene.traverse(disposePart)
    this.renderer.dispose()
    this.renderer.forceContextLoss()
    this.renderer.domElement.remove()
  }

  private measure(object: Object3D): void {
    object.updateMatrixWorld(true)
    const box = new Box3().setFromObject(object)
    if (box.isEmpty()) return
    box.getCenter(this.center)
    this.radius = Math.max(1e-6, box.getSize(new Vector3()).length() / 2)
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.host
    if (width === 0 || height === 0) return
    this.renderer.setSize(width, height, false)
    this.camera.aspect = width / height
    this.camera.updateProjectionMatrix()
    this.draw()
  }

  private draw = (): void => {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined
      this.renderer.render(this.scene, this.camera)
    })
  }
}

function disposePart(part: Object3D): void {
  // Signs share a geometry that belongs to nobody.
  if (part instanceof Sprite) disposeMaterial(part.material)
  if (part instanceof Sprite || !('geometry' in part)) return
  const { geometry, material } = part as Mesh
  geometry.dispose()
  for (const each of Array.isArray(material) ? material : [material]) disposeMaterial(each)
}

function disposeMaterial(material: Material): void {
  for (const value of Object.values(material)) if (value instanceof Texture) value.dispose()
  material.dispose()
}
