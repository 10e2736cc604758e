import {
  BufferAttribute,
  BufferGeometry,
  CanvasTexture,
  Color,
  Group,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshStandardMaterial,
  type Object3D,
  Points,
  PointsMaterial,
  Sprite,
  SpriteMaterial,
  SRGBColorSpace,
  TextureLoader,
} from 'three'
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js'
import { OBJLoader } from 'three/addons/loaders/OBJLoader.js'
import { STLLoader } from 'three/addons/loaders/STLLoader.js'
import type { SceneFormat } from '~/features/artifacts/files/preview-kind'
import { packGltf, type ReadFile } from '~/features/artifacts/files/scene/pack-gltf'
import { boxEdges, NotAScene, type Point, readPointCloud } from '~/features/artifacts/files/scene/point-cloud'

const CLAY = 0x9aa3ff
/** Longer labels are cut. */
const MAX_LABEL = 60
const [LABEL_FONT, LABEL_HEIGHT, LABEL_PADDING] = ['500 26px system-ui, sans-serif', 44, 14]
/** Its height as a share of what the camera sees at a distance of one. */
const LABEL_SIZE = 0.026
const BOX: Point = [0.95, 0.6, 0.25]

/** What is to be shown of a file. Clouds and meshes of points have their z axis upwards, as those who scan have it. */
export interface Scene {
  object: Object3D
  zUp: boolean
}

/** Reads a scene; `readFile` answers other files of the same version, which a scene may consist of. */
export async function readScene(
  format: SceneFormat,
  bytes: ArrayBuffer,
  path: string,
  readFile: ReadFile,
): Promise<Scene> {
  switch (format) {
    case 'obj':
      return { object: readObj(new TextDecoder().decode(bytes)), zUp: false }
    case 'stl':
      return { object: readStl(bytes), zUp: true }
    case 'pts.json':
      return { object: readCloud(new TextDecoder().decode(bytes)), zUp: true }
    case 'gltf':
    case 'glb':
      return { object: await readGltf(await packGltf(bytes, path, readFile)), zUp: false }
  }
}

function readObj(text: string): Object3D {
  const object = new OBJLoader().parse(text)
  object.traverse((part) => {
    // Materials are in other files, in which nobody looks: clay shows the form.
    if (part instanceof Mesh) dress(part)
  })
  return object
}

function readStl(bytes: ArrayBuffer): Object3D {
  const geometry = new STLLoader().parse(bytes)
  const mesh = new Mesh(geometry)
  dress(mesh)
  return mesh
}

function dress(mesh: Mesh): void {
  const geometry: BufferGeometry = mesh.geometry
  if (geometry.getAttribute('normal') === undefined) geometry.computeVertexNormals()
  const colored = geometry.hasAttribute('color')
  mesh.material = new MeshStandardMaterial({
    color: colored ? 0xffffff : CLAY,
    vertexColors: colored,
    roughness: 0.65,
    metalness: 0.1,
    // Which side is outside is often wrong.
    side: 2,
  })
}

async function readGltf(bytes: ArrayBuffer): Promise<Object3D> {
  const loader = new GLTFLoader()
  // The usual way fetches pictures in the scene from addresses that the page's content policy does not know.
  loader.register((parser) => {
    parser.textureLoader = new TextureLoader(parser.options.manager)
    return { name: 'pictures_as_elements' }
  })
  const { scene } = await loader.parseAsync(bytes, '')
  return scene
}

function readCloud(text: string): Object3D {
  const cloud = readPointCloud(text)
  const group = new Group()
  if (cloud.positions.length > 0) {
    const geometry = new BufferGeometry()
    geometry.setAttribute('position', new BufferAttribute(cloud.positions, 3))
    geometry.setAttribute('color', new BufferAttribute(toLinear(cloud.colors), 3))
    group.add(new Points(geometry, new PointsMaterial({ vertexColors: true, size: 2, sizeAttenuation: false })))
  }
  for (const { corners, label, color } of cloud.boxes) {
    if (label !== null) group.add(sign(label, corners, color ?? BOX))
    group.add(
      lines(
        boxEdges(corners).flatMap(([a, b]) => [corners[a], corners[b]]),
        color ?? BOX,
      ),
    )
  }
  for (const { start, end } of cloud.vectors) group.add(lines([start, end], BOX))
  if (group.children.length === 0) throw new NotAScene('the file has no points in it')
  return group
}

/** Colours as light adds up, which is how they are computed with; screens have them otherwise. */
function toLinear(colors: Float32Array): Float32Array {
  const shades = Array.from({ length: 256 }, (_, shade) => new Color().setRGB(shade / 255, 0, 0, SRGBColorSpace).r)
  return colors.map((part) => shades[Math.round(part * 255)])
}

/** A label above a box, as large on the screen wherever it stands. */
function sign(label: string, corners: readonly Point[], color: Point): Sprite {
  const text = label.slice(0, MAX_LABEL)
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d')
  if (context === null) return new Sprite()
  context.font = LABEL_FONT
  canvas.width = Math.ceil(context.measureText(text).width) + 2 * LABEL_PADDING
  canvas.height = LABEL_HEIGHT
  context.font = LABEL_FONT
  context.textBaseline = 'middle'
  context.fillStyle = `rgb(${color.map((part) => Math.round(part * 150)).join(' ')} / 0.92)`
  context.roundRect(0, 0, canvas.width, canvas.height, LABEL_HEIGHT / 4)
  context.fill()
  context.fillStyle = '#ffffff'
  context.fillText(text, LABEL_PADDING, LABEL_HEIGHT / 2)
  const map = new CanvasTexture(canvas)
  map.colorSpace = SRGBColorSpace
  const sprite = new Sprite(new SpriteMaterial({ map, sizeAttenuation: false, depthTest: false }))
  sprite.scale.set((LABEL_SIZE * canvas.width) / canvas.height, LABEL_SIZE, 1)
  sprite.center.set(0.5, -0.35)
  const middle = (axis: number) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length
  sprite.position.set(middle(0), middle(1), Math.max(...corners.map((corner) => corner[2])))
  return sprite
}

function lines(points: readonly Point[], color: Point): LineSegments {
  const geometry = new BufferGeometry()
  geometry.setAttribute('position', new BufferAttribute(new Float32Array(points.flat()), 3))
  return new LineSegments(geometry, new LineBasicMaterial({ color: new Color().setRGB(...color, SRGBColorSpace) }))
}
