import { expect, test } from 'vitest'
import { commandLineCode, curlCode, firstArtifactLines, pythonCode } from '~/features/artifacts/usage-code'

const place = { entity: 'ada', project: 'demo', collection: 'digits', version: 'v3' }

test('a version is used by its full name, in a run of the project that it was made in', () => {
  expect(pythonCode({ ...place, type: 'dataset', source: place })).toBe(
    `import steplog

with steplog.init(project="demo") as run:
    artifact = run.use_artifact("ada/demo/digits:v3", type="dataset")
    folder = artifact.download()`,
  )
  const linked = { ...place, project: 'registry', type: 'data "set"', source: place }
  expect(pythonCode(linked).split('\n').slice(2, 4)).toEqual([
    'with steplog.init(project="demo") as run:',
    '    artifact = run.use_artifact("ada/registry/digits:v3", type="data \\"set\\"")',
  ])
  expect(firstArtifactLines('my "demo"')).toContain('steplog.init(project="my \\"demo\\"")')
})

test('a shell reads the name of a version as one word', () => {
  expect(commandLineCode(place)).toBe('steplog artifact ls ada/demo/digits:v3\nsteplog artifact get ada/demo/digits:v3')
  expect(commandLineCode({ ...place, version: "$(x) 'y'" })).toContain("'ada/demo/digits:$(x) '\\''y'\\'''")
})

test('curl asks for a file by its address, with a key where the server wants one', () => {
  expect(curlCode(place, 'train/a b.png', 'http://host:7837', false)).toBe(
    `curl --fail \\
  --output 'a b.png' \\
  http://host:7837/api/v1/artifacts/ada/demo/digits/versions/v3/files/train/a%20b.png`,
  )
  expect(curlCode(place, null, 'https://host', true)).toBe(
    `curl --fail \\
  --header "Authorization: Bearer $STEPLOG_API_KEY" \\
  --output digits-v3.jsonl \\
  https://host/api/v1/artifacts/ada/demo/digits/versions/v3/manifest`,
  )
})
