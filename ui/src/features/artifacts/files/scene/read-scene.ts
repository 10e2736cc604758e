import {
  BufferAttribute,
  BufferGeometry,
  Color,
  Group,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshStandardMaterial,
  type Object3D,
  Points,
  PointsMaterial,
  TextureLoader,
} from 'three'
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js'
import { OBJLoader } from 'three/addons/loaders/OBJLoader.js'
import { STLLoader } from 'three/addons/loaders/STLLoader.js'
import type { SceneFormat } from '~/features/artifacts/files/preview-kind'
import { packGltf, type ReadFile } from '~/features/artifacts/files/scene/pack-gltf'
import { boxEdges, NotAScene, type Point, readPointCloud } from '~/features/artifacts/files/scene/point-cloud'

const CLAY = 0x9aa3ff
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
    geometry.setAttribute('color', new BufferAttribute(cloud.colors, 3))
    group.add(new Points(geometry, new PointsMaterial({ vertexColors: true, size: 2, sizeAttenuation: false })))
  }
  for (const { corners, color } of cloud.boxes) {
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

function lines(points: readonly Point[], color: Point): LineSegments {
  const geometry = new BufferGeometry()
  geometry.setAttribute('position', new BufferAttribute(new Float32Array(points.flat()), 3))
  return new LineSegments(geometry, new LineBasicMaterial({ color: new Color(...color) }))
}
