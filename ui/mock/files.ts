import type { RunFile } from '../src/api/types.ts'
import type { MockRun } from './data.ts'

const DIFF = `diff --git a/train.py b/train.py
index 6f1c9b0..1c0ffee 100644
--- a/train.py
+++ b/train.py
@@ -58,7 +58,8 @@ def main():
     model = build(config)
-    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr)
+    optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, betas=(0.9, 0.95))
+    scheduler = cosine(optimizer, warmup=200)
     for batch in loader:
         loss = model(batch).loss
`

const CONTENT: Record<string, [type: string, text: string]> = {
  'diff.patch': ['text/plain', DIFF],
  'requirements.txt': ['text/plain', 'numpy==2.3.5\ntorch==2.9.1\n'],
  'config.yaml': ['text/plain', 'lr: 0.001\nbatch_size: 64\n'],
  'checkpoints/epoch-9.pt': ['application/octet-stream', 'x'.repeat(70_000)],
  'checkpoints/epoch-10.pt': ['application/octet-stream', 'x'.repeat(90_000)],
  'eval/report.json': ['application/json', '{"accuracy":0.93,"classes":["cat","dog"]}'],
  'eval/curve.svg': [
    'image/svg+xml',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><path d="M0 9 Q5 9 8 4 T20 1" fill="none" stroke="#39f"/></svg>',
  ],
}

/** The same few files in every run. */
export function filesOf({ run }: MockRun): RunFile[] {
  return Object.entries(CONTENT).map(([path, [media_type, text]]) => ({
    path,
    size_bytes: text.length,
    sha256: null,
    media_type,
    policy: 'live',
    modified_at: run.updated_at,
    updated_at: run.updated_at,
  }))
}

export function contentOf(path: string): [type: string, text: string] | undefined {
  return CONTENT[path]
}
