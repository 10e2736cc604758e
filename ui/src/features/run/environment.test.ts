import { expect, test } from 'vitest'
import { countGpus, readEnvironment } from '~/features/run/environment'

const NOTHING = {
  command: [],
  program: null,
  workingDirectory: null,
  executable: null,
  python: null,
  host: null,
  platform: null,
  system: null,
  user: null,
  cpuModel: null,
  cpuCount: null,
  memoryBytes: null,
  container: null,
  gpus: [],
  git: null,
  packages: [],
  rest: {},
}

test('what a client says of its surroundings is told apart', () => {
  const gpu = { name: 'NVIDIA H100', memory_bytes: 8e10 }
  expect(
    readEnvironment({
      command: ['python', 'train.py'],
      program: 'train.py',
      os: 'linux',
      distribution: 'Debian 13',
      cpu_count: 32,
      gpus: [gpu, gpu],
      git: { commit: '6f1c', branch: 'main', dirty: true },
      packages: { torch: '2.9', Numpy: '2.3' },
      job: { scheduler: 'slurm' },
    }),
  ).toEqual({
    ...NOTHING,
    command: ['python', 'train.py'],
    program: 'train.py',
    system: 'Debian 13',
    cpuCount: 32,
    gpus: [
      { name: 'NVIDIA H100', memoryBytes: 8e10 },
      { name: 'NVIDIA H100', memoryBytes: 8e10 },
    ],
    git: { commit: '6f1c', branch: 'main', remote: null, root: null, dirty: true, message: null },
    packages: [
      ['Numpy', '2.3'],
      ['torch', '2.9'],
    ],
    rest: { job: { scheduler: 'slurm' } },
  })
  expect(readEnvironment({})).toEqual(NOTHING)
})

test('what makes no sense is no fact, but is not hidden', () => {
  const odd = {
    command: [1, 2],
    program: { x: 1 },
    cpu_count: 'many',
    memory_bytes: -1,
    gpus: ['a', null],
    git: [],
    packages: { torch: 2 },
    user: '',
    __proto__: null,
  }
  expect(readEnvironment(odd)).toEqual({ ...NOTHING, rest: odd })
  expect(readEnvironment({ git: { dirty: 'yes' } }).git).toBeNull()
})

test('GPUs of one kind are counted', () => {
  const small = { name: 'T4', memoryBytes: 16e9 }
  expect(countGpus([small, { name: 'H100', memoryBytes: null }, small])).toEqual([
    { ...small, count: 2 },
    { name: 'H100', memoryBytes: null, count: 1 },
  ])
})
