import { expect, test } from 'vitest'
import { formatUnit, formatUnitTicks, unitIncrements, unitNamed, unitRange } from '~/lib/units'

const GIB = 1024 ** 3

test('values are told with their unit', () => {
  expect([
    formatUnit(93.456, 'percent'),
    formatUnit(33_715_890_586, 'bytes'),
    formatUnit(1_258_291, 'bytes_per_second'),
    formatUnit(0, 'bytes'),
    formatUnit(1_023, 'bytes'),
    formatUnit(61, 'celsius'),
    formatUnit(250.55, 'watts'),
    formatUnit(1_980, 'megahertz'),
    formatUnit(12, 'none'),
    formatUnit(Number.NaN, 'bytes'),
  ]).toEqual(['93.46 %', '31.4 GiB', '1.2 MiB/s', '0 B', '1023 B', '61 °C', '250.6 W', '1980 MHz', '12', 'NaN'])
})

test('the ticks of an axis are in one unit', () => {
  expect(formatUnitTicks([0, 20 * GIB, 40 * GIB], 'bytes')).toEqual(['0', '20 GiB', '40 GiB'])
  expect(formatUnitTicks([0, 0.5 * GIB, GIB], 'bytes')).toEqual(['0', '0.5 GiB', '1.0 GiB'])
  expect(formatUnitTicks([0, 512], 'bytes_per_second')).toEqual(['0', '512 B/s'])
  expect(formatUnitTicks([0, 50, 100], 'percent')).toEqual(['0 %', '50 %', '100 %'])
  expect(formatUnitTicks([], 'bytes')).toEqual([])
})

test('bytes are counted in powers of two, other units as numbers are', () => {
  expect(unitIncrements('bytes')?.slice(7, 11)).toEqual([200, 500, 1024, 2048])
  expect(unitIncrements('watts')).toBeNull()
})

test('a share is shown as one of a hundred, an amount from zero on', () => {
  expect([unitRange('percent'), unitRange('bytes'), unitRange('celsius')]).toEqual([[0, 100], [0, 0], null])
})

test('a unit is known by its name', () => {
  expect(['bytes', 'bytes_per_second', 'threads', 'none', 'toString'].map(unitNamed)).toEqual([
    'bytes',
    'bytes_per_second',
    null,
    null,
    null,
  ])
})
