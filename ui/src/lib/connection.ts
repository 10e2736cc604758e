import { createStore } from '~/lib/store'

/** `back` is shown for a moment after the server returned. */
export type ConnectionState = 'online' | 'lost' | 'back'

const BACK_MILLIS = 2_500
const store = createStore<ConnectionState>('online')
let timer: ReturnType<typeof setTimeout> | undefined

/** Whether the server answers, as the last request or the event stream saw it. */
export const connection = {
  store,
  lost: () => {
    clearTimeout(timer)
    store.set('lost')
  },
  restored: () => {
    if (store.get() !== 'lost') return
    store.set('back')
    timer = setTimeout(() => store.set('online'), BACK_MILLIS)
  },
}
