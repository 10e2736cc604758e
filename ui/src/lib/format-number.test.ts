import { expect, test } from 'vitest'
import { formatBytes, formatCount, formatTicks, formatValue, plural, toNumber } from '~/lib/format-number'

test('values keep their significant digits', () => {
  const values = [0, 0.3, 0.342123, 12.3456789, 1234.5678, 12_345, 1_234_567, 123_456_789, 0.00012345, 1.2345e-7, -0.5]
  expect(values.map((value) => formatValue(value))).toEqual([
    '0',
    '0.3',
    '0.34212',
    '12.346',
    '1234.6',
    '12\u202f345',
    '1\u202f234\u202f567',
    '1.2346e8',
    '0.00012345',
    '1.2345e-7',
    '\u22120.5',
  ])
})

test('what is not finite has its sign', () => {
  expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => formatValue(value))).toEqual([
    'NaN',
    '∞',
    '\u2212∞',
  ])
})

test('counts have SI suffixes', () => {
  expect([0, 950, 999.7, 12_500, 1_500_000, 2e9, -4_000].map(formatCount)).toEqual([
    '0',
    '950',
    '1k',
    '12.5k',
    '1.5M',
    '2G',
    '\u22124k',
  ])
})

test('ticks have the decimals that the distance between them needs', () => {
  expect(formatTicks([0, 0.25, 0.5])).toEqual(['0', '0.25', '0.50'])
  expect(formatTicks([0, 5_000, 10_000])).toEqual(['0', '5k', '10k'])
  expect(formatTicks([12_250, 12_500])).toEqual(['12.25k', '12.50k'])
  expect(formatTicks([-2, 0, 2])).toEqual(['\u22122', '0', '2'])
  expect(formatTicks([0, 2e-7])).toEqual(['0', '2e-7'])
})

test('bytes, plurals and the numbers of JSON', () => {
  expect([0, 900, 4096, 450_000_000, 1_050_000_000].map(formatBytes)).toEqual([
    '0 B',
    '900 B',
    '4 KiB',
    '429 MiB',
    '1001 MiB',
  ])
  expect([plural(1, 'run'), plural(0, 'run'), plural(12_000, 'run')]).toEqual(['1 run', '0 runs', '12\u202f000 runs'])
  expect([toNumber(2), toNumber('NaN'), toNumber('-Infinity'), toNumber('2'), toNumber(null)]).toEqual([
    2,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    null,
    null,
  ])
})
