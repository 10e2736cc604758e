import type {
  AlertChannel,
  AlertChannelList,
  AlertChannelTest,
  AlertDelivery,
  AlertLevel,
  AlertList,
  AlertsRequest,
  CreateAlertChannelRequest,
  RunAlert,
  UpdateAlertChannelRequest,
} from '../src/api/types.ts'
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

const LEVELS: AlertLevel[] = ['INFO', 'WARN', 'ERROR']

const SENT: Partial<AlertDelivery> = { state: 'sent', attempts: 1 }
/** What becomes of alerts at a channel, one after the other. */
const OUTCOMES: Partial<AlertDelivery>[] = [
  SENT,
  SENT,
  { state: 'waiting', attempts: 2, error: 'cannot connect to hooks.example.org: it refuses connections' },
  SENT,
  { state: 'failed', attempts: 1, error: 'the receiver answered 404 Not Found' },
  SENT,
  SENT,
  { state: 'unknown', attempts: 1, error: 'the connection broke before the receiver answered' },
  SENT,
  { state: 'skipped', attempts: 0, error: 'it came more than a day after it was given' },
  { state: 'sending', attempts: 1 },
]

const NEW_CHANNEL: AlertChannel = {
  id: 0,
  entity: 'ada',
  project: null,
  kind: 'email',
  name: '',
  target: '',
  signed: false,
  level: 'INFO',
  enabled: true,
  created_at: 0,
  created_by: 'ada',
}

/** What the runs of a mock project told people, oldest first. */
export class MockAlerts {
  private list: { project: string; alert: RunAlert }[] = []
  private nextId = 1
  private channels: AlertChannel[] = [
    { ...NEW_CHANNEL, id: 1, kind: 'email', name: 'vision team', target: 'vision@example.org' },
    { ...NEW_CHANNEL, id: 2, kind: 'slack', name: '#training', target: 'https://hooks.slack.com/…x4Qd', level: 'WARN' },
    {
      ...NEW_CHANNEL,
      id: 3,
      kind: 'webhook',
      name: 'on-call bot',
      target: 'https://pager.example.org/…9f3a',
      project: 'demo',
      signed: true,
      level: 'ERROR',
      enabled: false,
    },
  ]

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
    const id = this.nextId++
    const deliveries = repeated ? [] : this.deliver(id, level, time)
    const alert = { id, time, level, title, text, repeated, run: run.id, run_name: run.name, deliveries }
    this.list.push({ project, alert })
  }

  /** Makes up what became of an alert at the channels that take it. */
  private deliver(alert: number, level: AlertLevel, time: number): AlertDelivery[] {
    const taking = this.channels.filter((channel) => LEVELS.indexOf(level) >= LEVELS.indexOf(channel.level))
    return taking.map((channel, index) => {
      const outcome = OUTCOMES[(alert * (index + 1)) % OUTCOMES.length]
      const tried = (outcome.attempts ?? 0) > 0
      return {
        id: alert * 10 + channel.id,
        channel: channel.id,
        channel_name: channel.name,
        kind: channel.kind,
        state: 'sent',
        attempts: 1,
        next_attempt_at: outcome.state === 'waiting' ? Date.now() / 1000 + 187 : null,
        last_attempt_at: tried ? time + 1 : null,
        delivered_at: outcome.state === 'sent' ? time + 2 : null,
        error: null,
        ...outcome,
      }
    })
  }

  /** Sends an alert again, at once. */
  sendAgain(id: number): AlertDelivery | undefined {
    const delivery = this.list.flatMap(({ alert }) => alert.deliveries).find((each) => each.id === id)
    if (delivery === undefined) return undefined
    const now = Date.now() / 1000
    return Object.assign(delivery, { state: 'sent', attempts: 1, delivered_at: now, last_attempt_at: now, error: null })
  }

  channelList(): AlertChannelList {
    return { channels: this.channels, mail_from: 'alerts@example.org' }
  }

  addChannel(entity: string, request: CreateAlertChannelRequest): AlertChannel {
    const channel = {
      ...NEW_CHANNEL,
      ...request,
      entity,
      id: Math.max(0, ...this.channels.map(({ id }) => id)) + 1,
      project: request.project ?? null,
      level: request.level ?? 'INFO',
      target: masked(request.target),
      signed: request.secret != null,
      created_at: Date.now() / 1000,
    }
    this.channels.push(channel)
    return channel
  }

  changeChannel(id: number, { secret, target, ...change }: UpdateAlertChannelRequest): AlertChannel | undefined {
    const channel = this.channels.find((each) => each.id === id)
    if (channel === undefined) return undefined
    Object.assign(channel, change)
    if (target !== undefined) channel.target = masked(target)
    if (secret !== undefined) channel.signed = secret !== ''
    return channel
  }

  removeChannel(id: number): void {
    this.channels = this.channels.filter((each) => each.id !== id)
  }

  /** Mails arrive, chats too, and the bot is down. */
  test(id: number): AlertChannelTest {
    const down = this.channels.find((each) => each.id === id)?.kind === 'webhook'
    if (!down) return { state: 'sent', error: null }
    return { state: 'failed', error: 'cannot connect to pager.example.org: it refuses connections' }
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

function masked(target: string): string {
  return URL.canParse(target) ? `${new URL(target).origin}/…${target.slice(-4)}` : target
}
