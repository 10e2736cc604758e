import type { AlertLevel, AlertList, AlertsRequest, RunAlert } from '../src/api/types.ts'
import { type MockData, type MockRun, SECONDS_OF_STEP } from './data.ts'

const TEXTS: [level: AlertLevel, title: string, text: string][] = [
  ['INFO', 'Checkpoint written', 'step 1 200, val/loss 0.412\n/checkpoints/small/1200.safetensors'],
  ['WARN', 'Gradient norm above 50', 'grad_norm = 61.3 at step 431; the batch was skipped.'],
  [
    'ERROR',
    'Loss is NaN',
    'loss_scale went from 4096 to 2048.\n\nTraceback (most recent call last):\n  File "train.py", line 214, in step\n    scaler.step(optimizer)\n  File "amp.py", line 88, in step\n    raise FloatingPointError("loss is NaN")\nFloatingPointError: loss is NaN',
  ],
  ['INFO', 'Learning rate halved', ''],
  ['WARN', 'Data loader is slow', 'Waited **1.8 s** for a batch. <script>alert("never")</script>'],
]

/** What the runs of a mock project told people, oldest first. */
export class MockAlerts {
  private list: { project: string; alert: RunAlert }[] = []
  private nextId = 1

  constructor(data: MockData) {
    for (const [project, runs] of data.runs) {
      if (runs.length > 10) continue
      for (const [index, mock] of runs.entries()) {
        for (let row = 0; row < 5 - index; row += 1) {
          this.add(project, mock, index + row, mock.run.created_at + mock.length * SECONDS_OF_STEP * (0.2 + row * 0.15))
        }
      }
    }
  }

  /** Adds one; the same again within a minute is a repetition. */
  add(project: string, { run }: MockRun, kind: number, time: number): void {
    const [level, title, text] = TEXTS[kind % TEXTS.length]
    const repeated = this.list.some(
      ({ alert }) => alert.run === run.id && alert.title === title && !alert.repeated && time - alert.time < 60,
    )
    const alert = { id: this.nextId++, time, level, title, text, repeated, run: run.id, run_name: run.name }
    this.list.push({ project, alert })
  }

  query({ project, run, repeated, limit, cursor }: AlertsRequest): AlertList {
    const name = project.split('/')[1]
    const found = this.list
      .filter((each) => each.project === name && (run == null || each.alert.run === run))
      .map(({ alert }) => alert)
      .filter((alert) => repeated || !alert.repeated)
      .sort((a, b) => b.time - a.time || b.id - a.id)
    const start = Number(cursor ?? 0)
    const end = start + (limit ?? 100)
    return { alerts: found.slice(start, end), next_cursor: end < found.length ? String(end) : null }
  }

  count(project: string, run: string): number {
    return this.list.filter((each) => each.project === project && each.alert.run === run && !each.alert.repeated).length
  }
}
