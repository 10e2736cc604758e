import type { JsonObject } from '../src/api/types.ts'

const NAMES = [
  'aiohttp',
  'datasets',
  'einops',
  'flash-attn',
  'numpy',
  'pandas',
  'pillow',
  'safetensors',
  'torch',
  'tqdm',
]

/** What a client says of its surroundings; that of the third run is made of what no client should say. */
export function environmentOf(index: number): JsonObject {
  if (index === 2) {
    return {
      command: 'not a list',
      program: ['<script>'],
      git: { remote: 'javascript:alert(1)', commit: '<img src=x onerror=alert(1)>', dirty: 'maybe' },
      packages: { numpy: 2 },
      gpus: 'many',
      cpu_model: '\u202e<b>reversed</b>',
      memory_bytes: 'NaN',
    }
  }
  const gpu = { name: 'NVIDIA H100 80GB HBM3', memory_bytes: 85_899_345_920 }
  return {
    command: ['python', 'train.py', '--config', 'configs/small.yaml', '--note', "ada's second try", '--lr', '3e-4'],
    program: 'train.py',
    executable: '/home/ada/.venv/bin/python',
    working_directory: '/home/ada/experiments/small-gpt',
    python: '3.13.1',
    platform: 'Linux-6.8.0-49-generic-x86_64',
    os: 'linux',
    distribution: 'Ubuntu 24.04.1 LTS',
    host: 'gpu-1.cluster',
    user: 'ada',
    cpu_count: 64,
    cpu_model: 'AMD EPYC 9354 32-Core Processor',
    memory_bytes: 811_748_818_944,
    gpus: [gpu, gpu, gpu, gpu],
    container: 'docker',
    steplog_version: '0.1.0',
    job: { scheduler: 'slurm', id: '81244', rank: 0, world_size: 4 },
    git: {
      commit: '6f1c9b0d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b',
      branch: 'cosine-decay',
      remote: 'https://example.org/ada/small-gpt.git',
      root: '/home/ada/experiments/small-gpt',
      dirty: true,
      message: 'Cosine decay with a warm-up of 200 steps',
    },
    packages: Object.fromEntries(
      Array.from({ length: 120 }, (_, row) => [
        row < NAMES.length ? NAMES[row] : `package-${row}`,
        `${(row % 5) + 1}.${row % 11}.${row % 7}`,
      ]),
    ),
  }
}
