import { expect, test } from 'vitest'
import { shellQuote } from '~/lib/shell-quote'

test('a command line is what a shell reads as its words', () => {
  expect(shellQuote(['python', 'train.py', '--lr=1e-3', '--data', '/data/a b'])).toBe(
    "python train.py --lr=1e-3 --data '/data/a b'",
  )
  expect(shellQuote(['', "it's", '$(rm -rf ~)', 'a\nb', '*'])).toBe("'' 'it'\\''s' '$(rm -rf ~)' 'a\nb' '*'")
})
